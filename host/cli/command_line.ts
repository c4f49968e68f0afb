// The command line: what `baler` does with its words, from the flags that
// stand before a command to the exit code.

import { killAll } from "../process/child.ts";
import { type CommandContext, commandHelp } from "./command.ts";
import { COMMANDS } from "./registry.ts";
import { formatErrorChain } from "../errors/error_message.ts";
import { formatError } from "../errors/format_error.ts";
import { UsageError } from "./flags.ts";
import type { Log } from "../log/log.ts";
import { openLog } from "./open_log.ts";
import { Redactor } from "../log/redactor.ts";
import { Screen } from "../terminal/screen.ts";
import { HostUi } from "../terminal/ui.ts";

const NOT_UNDERSTOOD = 2;

/**
 * Does what the command line asks for.
 *
 * @param args The words behind the program's name.
 * @returns The exit code: 0 when it went well, 1 when not, 2 when it was not understood.
 */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const redactor = new Redactor();
  const screen = new Screen();
  let log: Log;
  try {
    log = await openLog(redactor, screen);
  } catch (error) {
    console.error(`Error: ${formatError(error)}`);
    return 1;
  }
  const machineReadable =
    args.findLast((word) => MACHINE_READABLE.test(word))?.endsWith("=false") ===
      false;
  const words = args.filter((word) => !MACHINE_READABLE.test(word));
  const makeUi: CommandContext["makeUi"] = (
    { color = screen.wantsColor, timestamps = false },
  ) =>
    new HostUi({
      screen,
      log,
      machineReadable,
      color,
      timestamps,
      redact: redactor.redact,
    });
  const ui = makeUi({});
  // Whatever happens to this process, what it started goes with it.
  globalThis.addEventListener("unload", killAll);
  globalThis.addEventListener("unload", () => screen.endProgress());
  try {
    return await runWords({ ui, makeUi, log, redactor, screen }, words);
  } catch (error) {
    log.write("baler", formatErrorChain(error));
    // Machines and people read what went wrong where they read the rest.
    if (machineReadable) ui.error(formatError(error));
    else console.error(redactor.redact(`Error: ${formatError(error)}`));
    return error instanceof UsageError ? NOT_UNDERSTOOD : 1;
  }
}

const MACHINE_READABLE = /^--?machine-readable(=(true|false))?$/;

async function runWords(
  context: CommandContext,
  words: readonly string[],
): Promise<number> {
  const [name, ...rest] = words;
  const wantsHelp = rest.some((word) => /^(-h|--?help)$/.test(word));
  switch (name) {
    case undefined:
      await showHelp(context);
      return NOT_UNDERSTOOD;
    case "-h":
    case "-help":
    case "--help":
      await showHelp(context);
      return 0;
    case "-v":
    case "-version":
    case "--version":
      // The number alone, as Packer shows it: scripts compare it.
      context.screen.writeLine(
        (await import("../../plugin/common/version.ts")).VERSION,
      );
      return 0;
  }
  if (Object.hasOwn(COMMANDS, name)) {
    const command = await COMMANDS[name]!.load();
    if (!wantsHelp) return await command.run(context, rest);
    context.ui.say(commandHelp(name, command));
    return 0;
  }
  const { runPluginCommand } = await import("./plugin_command.ts");
  return await runPluginCommand(context, name, rest);
}

async function showHelp({ ui, log }: CommandContext): Promise<void> {
  const { mainHelp } = await import("./commands/help.ts");
  ui.say(await mainHelp(log));
}
