/**
 * The library for authors of baler plugins: the interfaces of components, and
 * the functions that serve them.
 *
 * @example
 * ```ts ignore
 * import { serveBuilder } from "@baler/baler";
 *
 * serveBuilder({
 *   prepare() {},
 *   async run({ ui }) {
 *     await ui.say("Hello from another process");
 *   },
 * });
 * ```
 *
 * @module
 */

export type * from "./plugin/contract/artifact.ts";
export type * from "./plugin/contract/build_context.ts";
export type * from "./plugin/contract/builder.ts";
export type * from "./plugin/contract/command.ts";
export type * from "./plugin/contract/communicator.ts";
export * from "./plugin/contract/hook.ts";
export type * from "./plugin/contract/post_processor.ts";
export type * from "./plugin/contract/provisioner.ts";
export type * from "./plugin/contract/ui.ts";
export {
  ConfigError,
  type ConfigProblem,
} from "./plugin/contract/config_error.ts";
export { nearest } from "./plugin/common/did_you_mean.ts";
export { parseDuration } from "./plugin/common/duration.ts";
export type * from "./plugin/contract/options.ts";
export { checkOptions } from "./plugin/sdk/check_options.ts";
export { decodeConfig } from "./plugin/sdk/decode_config.ts";
export { render, type RenderData } from "./plugin/sdk/render.ts";
export type * from "./plugin/sdk/components.ts";
export * from "./plugin/sdk/serve.ts";
