// Commands that plugins bring along: baler-command-NAME becomes `baler NAME`.

import type { Command } from "../../plugin/contract/command.ts";
import { nearest } from "../../plugin/common/did_you_mean.ts";
import type { CommandContext } from "./command.ts";
import { describeForeignValue } from "../errors/describe_value.ts";
import { errorMessage, formatErrorChain } from "../errors/error_message.ts";
import { COMMANDS } from "./registry.ts";
import { type FoundPlugin, listPlugins } from "../discovery/find_plugin.ts";
import { UsageError } from "./flags.ts";
import { Interrupt } from "./interrupt.ts";
import { launch } from "../plugin/launch.ts";
import { GRACE } from "../plugin/launch_options.ts";
import type { Log } from "../log/log.ts";
import { CleanupMonitor } from "../plugin/cleanup_monitor.ts";
import { becomeSubreaper } from "../process/subreaper.ts";
import { OutputBacklog, PluginUi } from "../terminal/plugin_ui.ts";
import type { Screen } from "../terminal/screen.ts";
import { untrustedReason } from "../discovery/plugin_trust.ts";
import { pluginSources } from "../discovery/plugin_sources.ts";
import { pluginTimes } from "../plugin/plugin_timeouts.ts";

/** A command that a plugin brings along. */
export interface PluginCommand {
  /** The word of the command line. */
  name: string;
  /** The plugin that serves it. */
  found: FoundPlugin;
}

/** The commands that plugins bring along; none of them can replace one of baler's own. */
export async function pluginCommands(): Promise<PluginCommand[]> {
  return listPlugins(await pluginSources())
    .filter(({ kind, name }) =>
      kind === "command" && !Object.hasOwn(COMMANDS, name)
    )
    .map((found) => ({ name: found.name, found }));
}

/**
 * What a plugin says of its command.
 *
 * @param command The command.
 * @param log Where the plugin's stderr goes.
 */
export async function describeCommand(
  command: PluginCommand,
  log: Log,
): Promise<{ synopsis: string; help: string }> {
  await using plugin = await launch(command.found.argv, {
    name: command.found.label,
    log,
    ...pluginTimes(),
  });
  const { synopsis, help = synopsis } = await plugin.create<Command>(
    "command",
    command.name,
  );
  if (typeof synopsis !== "string" || typeof help !== "string") {
    throw new TypeError(
      `the synopsis and the help of ${plugin.name} are to be strings`,
    );
  }
  return { synopsis, help };
}

/**
 * Runs a command that a plugin brings along.
 *
 * @param context What every command is given.
 * @param name The command's name.
 * @param args The words behind it. A --help among them is answered with the
 * plugin's help; behind a -- it is the command's own.
 * @returns The exit code.
 * @throws {UsageError} When there is no such command.
 */
export async function runPluginCommand(
  context: CommandContext,
  name: string,
  args: readonly string[],
): Promise<number> {
  const commands = await pluginCommands();
  const command = commands.find((one) => one.name === name);
  if (command === undefined) throw await unknownCommand(name, commands);
  const end = args.indexOf("--");
  const flags = end === -1 ? args : args.slice(0, end);
  if (flags.some((word) => /^(-h|--?help)$/.test(word))) {
    context.ui.say((await describeCommand(command, context.log)).help);
    return 0;
  }
  const untrusted = untrustedReason(command.found.argv);
  if (untrusted !== undefined) {
    // Not on stdout, which is the command's.
    console.error(
      `Warning: plugin ${command.found.label} is not safe to run: ${untrusted}`,
    );
  }
  using interrupt = new Interrupt(() => {});
  const times = pluginTimes();
  const backlog = new OutputBacklog();
  await using plugin = await launch(command.found.argv, {
    name: command.found.label,
    log: context.log,
    ...times,
    signal: interrupt.signal,
    pause: () => backlog.pause,
  });
  const component = await plugin.create<Command>("command", name);
  context.screen.cancelled = interrupt.signal;
  becomeSubreaper();
  void interrupt.startWatchdog(0);
  interrupt.setActive([plugin.name]);
  using _monitor = new CleanupMonitor(
    interrupt.signal,
    2 * (times.grace ?? GRACE),
    {
      plugins: () => [plugin],
      onWaiting: () =>
        context.screen.writeError(
          `${plugin.name} is still cleaning up. Ctrl-C again ends it at once.`,
        ),
    },
  );
  const result = await component.run({
    args: [...args],
    ui: new PluginUi(context.ui, backlog),
    stdin: Deno.stdin.readable,
    stdout: stdoutOf(context.screen),
    workingDirectory: Deno.cwd(),
    signal: interrupt.signal,
  });
  const wrong = await plugin.close();
  if (interrupt.exitCode !== undefined) return interrupt.exitCode;
  const code = result ?? 0;
  if (!isExitCode(code)) {
    context.ui.error(
      `Error: ${plugin.name} returned ${
        describeForeignValue(code)
      }, which is no exit code: it is to be from 0 to 255`,
    );
    return 1;
  }
  if (wrong === undefined) return code;
  context.log.write("baler", formatErrorChain(wrong));
  context.ui.error(`Error: ${errorMessage(wrong)}`);
  return code === 0 ? 1 : code;
}

/** The host's stdout for a plugin: its bytes and the lines of its ui stay in their order. */
function stdoutOf(screen: Screen): WritableStream<Uint8Array> {
  return new WritableStream({
    async write(chunk: unknown) {
      if (!(chunk instanceof Uint8Array)) {
        throw new TypeError("stdout takes bytes");
      }
      screen.writeBytes(chunk);
      await screen.room;
    },
  });
}

function isExitCode(code: unknown): code is number {
  return Number.isInteger(code) && (code as number) >= 0 &&
    (code as number) <= 255;
}

/**
 * Says that there is no such command, and which is like it.
 *
 * @param name The word that was given.
 * @param commands The commands that plugins bring along.
 */
export async function unknownCommand(
  name: string,
  commands: readonly PluginCommand[],
): Promise<UsageError> {
  const known = [...Object.keys(COMMANDS), ...commands.map((one) => one.name)];
  const near = await nearest(name, known);
  return new UsageError(
    `unknown command "${name}"; ${
      near === undefined ? "" : `did you mean "${near}"? `
    }"baler help" lists all commands`,
  );
}
