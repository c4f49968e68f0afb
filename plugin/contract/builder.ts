// A builder makes an artifact: it brings up what is to be built, lets the
// provisioners at it through the hook, and packs the result.

import type { Artifact } from "./artifact.ts";
import type { BuildContext } from "./build_context.ts";
import type { Hook } from "./hook.ts";
import type { Options } from "./options.ts";
import type { Ui } from "./ui.ts";

/** What a component is given to prepare itself with. */
export interface PrepareOptions<Config = Record<string, unknown>> {
  /**
   * The component's configuration: its part of the template without the keys
   * that are baler's own (`type`, `name`, ...), templates in it interpolated,
   * and, where the component declares `options`, checked and with defaults.
   */
  config: Config;
  /** The build that the component is a part of. */
  build: BuildContext;
}

/** What a builder has to say once it is prepared. */
export interface PrepareResult {
  /** What the person should know, though the build can go on. */
  warnings?: string[];
  /** The names of what the builder will publish to provisioners through the hook's `data`. */
  generatedData?: string[];
}

/** What a builder is given to run with. */
export interface BuilderRunOptions {
  /** Where the builder shows what it does. */
  ui: Ui;
  /** To be run when the machine is up: the provisioners. */
  hook: Hook;
  /** Aborted when the build is cancelled: stop, clean up, and throw. */
  signal: AbortSignal;
}

/**
 * Makes artifacts. One instance serves one build.
 *
 * @example
 * ```ts
 * import { type Builder, HOOK_PROVISION } from "@baler/baler";
 *
 * class CustomCloud implements Builder {
 *   #region = "";
 *
 *   prepare({ config }: { config: Record<string, unknown> }) {
 *     if (typeof config.region !== "string") throw new Error("region is required");
 *     this.#region = config.region;
 *   }
 *
 *   async run({ ui, hook, signal }: Parameters<Builder["run"]>[0]) {
 *     await ui.say(`Starting a machine in ${this.#region}...`);
 *     await hook.run({ name: HOOK_PROVISION, ui, signal });
 *     return {
 *       builderId: "example.custom-cloud",
 *       id: "img-1",
 *       files: [],
 *       destroy() {},
 *       toString: () => "image img-1",
 *     };
 *   }
 * }
 *
 * export const builder = new CustomCloud();
 * ```
 */
export interface Builder<Config = Record<string, unknown>> {
  /** The configuration that it takes; any, when it declares none. */
  readonly options?: Options;
  /**
   * Takes the configuration and checks it, with no side effects: `baler
   * validate` calls it and nothing else.
   *
   * @throws {Error} When the configuration cannot be built with.
   */
  prepare(
    options: PrepareOptions<Config>,
  ): PrepareResult | void | Promise<PrepareResult | void>;
  /**
   * Builds, and returns when the artifact is there.
   *
   * @returns The artifact, or undefined where there is nothing to show.
   * @throws {Error} When the build failed; what it had brought up is gone by then.
   */
  run(
    options: BuilderRunOptions,
  ): Artifact | undefined | void | Promise<Artifact | undefined | void>;
}
