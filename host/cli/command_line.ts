// The command line: parses the arguments of `baler`, runs the command, and
// returns the exit code.

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

/** The exit code for a command line that is not valid. */
const USAGE_EXIT_CODE = 2;

/**
 * Runs the command on the command line.
 *
 * @param args The arguments of the program.
 * @returns The exit code: 0 on success, 1 on failure, 2 for an invalid command line.
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
    args.findLast((arg) => MACHINE_READABLE.test(arg))?.endsWith("=false") ===
      false;
  const commandArgs = args.filter((arg) => !MACHINE_READABLE.test(arg));
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
  // No child process may outlive this one, however it exits.
  globalThis.addEventListener("unload", killAll);
  globalThis.addEventListener("unload", () => screen.eraseAtExit());
  let hasFault = false;
  const report = (error: unknown) => {
    log.write("baler", formatErrorChain(error));
    // Machine-readable errors belong to the machine-readable output on stdout.
    if (machineReadable) ui.error(formatError(error));
    else screen.writeError(redactor.redact(`Error: ${formatError(error)}`));
  };
  // An unhandled error must not end the process during builds; it makes the exit code 1.
  onUnhandled((error) => {
    hasFault = true;
    report(error);
  });
  let code: number;
  try {
    code = await runCommand({ ui, makeUi, log, redactor, screen }, commandArgs);
    await screen.flush();
  } catch (error) {
    report(error);
    code = error instanceof UsageError ? USAGE_EXIT_CODE : 1;
    await screen.flush().catch(() => {});
  }
  return hasFault && code === 0 ? 1 : code;
}

/** Calls a function with each unhandled error, which would otherwise end the process. */
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

async function runCommand(
  context: CommandContext,
  args: readonly string[],
): Promise<number> {
  const [name, ...rest] = args;
  const wantsHelp = rest.some((arg) => /^(-h|--?help)$/.test(arg));
  switch (name) {
    case undefined:
      await showHelp(context);
      return USAGE_EXIT_CODE;
    case "-h":
    case "-help":
    case "--help":
      await showHelp(context);
      return 0;
    case "-v":
    case "-version":
    case "--version":
      // Only the number, as in Packer: scripts compare it.
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
