// The commands of plugins: the plugin baler-command-NAME adds `baler NAME`.

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
import { SHUTDOWN_GRACE_MS } from "../plugin/launch_options.ts";
import type { Log } from "../log/log.ts";
import { CleanupMonitor } from "../plugin/cleanup_monitor.ts";
import { becomeSubreaper } from "../process/subreaper.ts";
import { OutputBacklog, PluginUi } from "../terminal/plugin_ui.ts";
import type { Screen } from "../terminal/screen.ts";
import { trustWarning } from "../discovery/plugin_trust.ts";
import { pluginSources } from "../discovery/plugin_sources.ts";
import { pluginTimeouts } from "../plugin/plugin_timeouts.ts";

/** A command of a plugin. */
export interface PluginCommand {
  /** The name of the command. */
  name: string;
  /** The plugin that serves it. */
  found: FoundPlugin;
}

/** Returns the commands of plugins; they cannot replace baler's own commands. */
export async function pluginCommands(): Promise<PluginCommand[]> {
  return listPlugins(await pluginSources())
    .filter(({ kind, name }) =>
      kind === "command" && !Object.hasOwn(COMMANDS, name)
    )
    .map((found) => ({ name: found.name, found }));
}

/**
 * Asks a plugin for the synopsis and the help of its command.
 *
 * @param command The command.
 * @param log Gets the plugin's stderr.
 */
export async function describeCommand(
  command: PluginCommand,
  log: Log,
): Promise<{ synopsis: string; help: string }> {
  await using plugin = await launch(command.found.argv, {
    name: command.found.label,
    log,
    ...pluginTimeouts(),
  });
  const { synopsis, help = synopsis } = await plugin.create<Command>(
    "command",
    command.name,
  );
  if (typeof synopsis !== "string" || typeof help !== "string") {
    throw new TypeError(
      `the synopsis and the help of ${plugin.name} must be strings`,
    );
  }
  return { synopsis, help };
}

/**
 * Runs a command of a plugin.
 *
 * @param context The context in which the command runs.
 * @param name The command's name.
 * @param args The arguments after the name. `--help` shows the plugin's help,
 * except after `--`, where it is an argument of the command.
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
  if (flags.some((arg) => /^(-h|--?help)$/.test(arg))) {
    context.ui.say((await describeCommand(command, context.log)).help);
    return 0;
  }
  const untrusted = trustWarning(command.found);
  // stdout belongs to the command.
  if (untrusted !== undefined) console.error(`Warning: ${untrusted}`);
  using interrupt = new Interrupt(() => {});
  const times = pluginTimeouts();
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
    2 * (times.grace ?? SHUTDOWN_GRACE_MS),
    {
      plugins: () => [plugin],
      onWaiting: () =>
        context.screen.writeError(
          `${plugin.name} is still cleaning up. Press Ctrl-C again to kill it.`,
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
  const shutdownError = await plugin.close();
  if (interrupt.exitCode !== undefined) return interrupt.exitCode;
  const code = result ?? 0;
  if (!isExitCode(code)) {
    context.ui.error(
      `Error: ${plugin.name} returned ${
        describeForeignValue(code)
      }; expected an exit code from 0 to 255`,
    );
    return 1;
  }
  if (shutdownError === undefined) return code;
  context.log.write("baler", formatErrorChain(shutdownError));
  context.ui.error(`Error: ${errorMessage(shutdownError)}`);
  return code === 0 ? 1 : code;
}

/** Returns the host's stdout for a plugin. The order of its bytes and of the lines of its ui is kept. */
function stdoutOf(screen: Screen): WritableStream<Uint8Array> {
  return new WritableStream({
    async write(chunk: unknown) {
      if (!(chunk instanceof Uint8Array)) {
        throw new TypeError("the chunks of stdout must be Uint8Arrays");
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
 * Returns the error for an unknown command, with the most similar one.
 *
 * @param name The unknown command.
 * @param commands The commands of plugins.
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
