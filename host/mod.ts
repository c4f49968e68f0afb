/**
 * The host's side as a library: adds plugins that run in processes of their own
 * to any program.
 *
 * A program made by `deno compile` cannot import code that it was not compiled
 * with. It can launch a plugin, though, and call the components that the plugin
 * serves like local objects: objects, functions, streams and signals can be
 * passed in both directions. The program defines its own kinds of component.
 *
 * @example The program
 * ```ts ignore
 * import { launch } from "@baler/baler/host";
 *
 * interface Filter {
 *   apply(image: Uint8Array): Promise<Uint8Array>;
 * }
 *
 * await using plugin = await launch("/opt/filters");
 * const blur = await plugin.create<Filter>("filter", "blur");
 * console.log(await blur.apply(new Uint8Array(16)));
 * ```
 *
 * @example The plugin
 * ```ts ignore
 * import { serve } from "@baler/baler";
 *
 * class Blur {
 *   apply(image: Uint8Array) {
 *     return image.map((value) => value >> 1);
 *   }
 * }
 *
 * serve({ filter: { blur: Blur } });
 * ```
 *
 * @module
 */

export type { CloseReason } from "../plugin/rpc/outgoing_calls.ts";
export {
  ConnectionClosedError,
  ProtocolError,
} from "../plugin/rpc/protocol.ts";
export { type Exit, killAll } from "./process/child.ts";
export type { PluginInfo } from "./plugin/handshake.ts";
export { launch } from "./plugin/launch.ts";
export type { LaunchOptions } from "./plugin/launch_options.ts";
export {
  createLog,
  type Log,
  type LogOptions,
  type LogTarget,
} from "./log/log.ts";
export { Plugin } from "./plugin/plugin.ts";
export { PluginError } from "./plugin/plugin_error.ts";
