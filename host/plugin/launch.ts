// Launches a plugin: starts its executable and waits for the handshake.

import { checkExecutable } from "./executable.ts";
import type { LaunchOptions } from "./launch_options.ts";
import { Plugin } from "./plugin.ts";

/**
 * Launches a plugin.
 *
 * @param command Its path, or a command and its arguments, for example
 * `["ssh", "build1", "/opt/x"]`.
 * @param options How it is launched.
 * @returns The plugin, when the handshake is complete.
 * @throws {PluginError} When it cannot be started, is not a baler plugin, or
 * does not complete the handshake in time.
 *
 * @example
 * ```ts ignore
 * import { launch } from "@baler/baler/host";
 *
 * interface Greeter {
 *   greet(name: string): Promise<string>;
 * }
 *
 * await using plugin = await launch("/opt/greeter");
 * const greeter = await plugin.create<Greeter>("greeter", "polite");
 * console.log(await greeter.greet("Ada"));
 * ```
 */
export async function launch(
  command: string | readonly string[],
  options: LaunchOptions = {},
): Promise<Plugin> {
  const argv = typeof command === "string" ? [command] : command;
  const name = options.name ?? argv.join(" ");
  options.signal?.throwIfAborted();
  await checkExecutable(argv, name, options.cwd);
  // An abort event during the check has no listener yet.
  options.signal?.throwIfAborted();
  const plugin = new Plugin(argv, name, {
    ...options,
    ...(isDebugged(argv) ? NO_TIMEOUTS : {}),
  });
  try {
    await plugin.started;
  } catch (error) {
    await plugin.close();
    throw error;
  }
  return plugin;
}

/** While a debugger holds a plugin, it neither starts nor responds. */
const NO_TIMEOUTS: LaunchOptions = {
  startTimeout: Infinity,
  answerTimeout: Infinity,
};

/** Whether a command runs a plugin in a debugger, as `deno run --inspect-brk` does. */
function isDebugged(argv: readonly string[]): boolean {
  return argv.slice(1).some((argument) => argument.startsWith("--inspect"));
}
