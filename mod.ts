/**
 * What the author of a baler plugin imports: the interfaces of the components,
 * and the functions that serve them.
 *
 * @example
 * ```ts ignore
 * import { type Builder, serveBuilder } from "@baler/baler";
 *
 * class CustomCloud implements Builder {
 *   prepare() {}
 *   async run({ ui }: Parameters<Builder["run"]>[0]) {
 *     await ui.say("Hello from another process");
 *   }
 * }
 *
 * serveBuilder(new CustomCloud());
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
export { parseDuration } from "./plugin/common/duration.ts";
export type * from "./plugin/contract/options.ts";
export { decodeConfig } from "./plugin/sdk/decode_config.ts";
export { render, type RenderData } from "./plugin/sdk/render.ts";
export type * from "./plugin/sdk/components.ts";
export * from "./plugin/sdk/serve.ts";
