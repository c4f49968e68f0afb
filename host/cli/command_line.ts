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
    screen.writeError(`Error: ${formatError(error)}`);
    await screen.flush();
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
  globalThis.addEventListener("unload", () => screen.eraseAtExit());
  let hasFault = false;
  const report = (error: unknown) => {
    log.write("baler", formatErrorChain(error));
    // Programs and people read errors where they read the rest.
    if (machineReadable) ui.error(formatError(error));
    else screen.writeError(redactor.redact(`Error: ${formatError(error)}`));
  };
  // An error that no code handles must not end the builds: it fails the run.
  onUnhandled((error) => {
    hasFault = true;
    report(error);
  });
  let code: number;
  try {
    code = await runWords({ ui, makeUi, log, redactor, screen }, words);
    await screen.flush();
  } catch (error) {
    report(error);
    code = error instanceof UsageError ? NOT_UNDERSTOOD : 1;
    await screen.flush().catch(() => {});
  }
  return hasFault && code === 0 ? 1 : code;
}

/** Calls a function with each error that no code handles, in place of the end of the program. */
function onUnhandled(handle: (error: unknown) => void): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    handle(event.reason);
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    handle(event.error);
  });
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
