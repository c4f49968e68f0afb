// Launching: from the path of a plugin to the plugin that has said hello.

import { checkExecutable } from "./executable.ts";
import type { LaunchOptions } from "./launch_options.ts";
import { Plugin } from "./plugin.ts";

/**
 * Launches a plugin.
 *
 * @param command Its path, or a command and its arguments, like
 * `["ssh", "build1", "/opt/x"]`.
 * @param options How it is launched.
 * @returns The plugin, once it has said hello.
 * @throws {PluginError} When it cannot be started, is no baler plugin, or does
 * not start in time.
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
  // It can have been aborted meanwhile, and does not tell again.
  options.signal?.throwIfAborted();
  const plugin = new Plugin(argv, name, options);
  try {
    await plugin.started;
  } catch (error) {
    await plugin.close();
    throw error;
  }
  return plugin;
}
