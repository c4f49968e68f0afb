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

export type * from "./plugin/artifact.ts";
export type * from "./plugin/build_context.ts";
export type * from "./plugin/builder.ts";
export type * from "./plugin/command.ts";
export type * from "./plugin/communicator.ts";
export * from "./plugin/hook.ts";
export type * from "./plugin/post_processor.ts";
export type * from "./plugin/provisioner.ts";
export type * from "./plugin/ui.ts";
export * from "./plugin/config_error.ts";
export { parseDuration } from "./plugin/duration.ts";
export * from "./plugin/options.ts";
export { render, type RenderData } from "./plugin/render.ts";
export * from "./plugin/serve.ts";
