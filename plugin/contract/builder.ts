// Builder: creates an artifact. It starts a machine, runs the provisioners through
// the hook, and returns the result.

import type { Artifact } from "./artifact.ts";
import type { BuildContext } from "./build_context.ts";
import type { Hook } from "./hook.ts";
import type { Options } from "./options.ts";
import type { Ui } from "./ui.ts";

/** The argument of a component's `prepare` or `configure`. */
export interface PrepareOptions<Config = Record<string, unknown>> {
  /**
   * The component's configuration: its part of the template without the keys
   * that baler itself reads (`type`, `name`, ...), with templates (`{{...}}`)
   * filled in. Where the component declares `options`, it is checked, and has
   * their defaults.
   */
  config: Config;
  /** The build that the component is a part of. */
  build: BuildContext;
}

/** What `prepare` or `configure` may return. */
export interface PrepareResult {
  /** Warnings that are shown; the build continues. */
  warnings?: string[];
  /** The names of the values that the builder will pass to the hook as `data`. */
  generatedData?: string[];
}

/** The argument of {@linkcode Builder.run}. */
export interface BuilderRunOptions {
  /** Shows what the builder does. */
  ui: Ui;
  /** Runs the provisioners, when the machine is up. */
  hook: Hook;
  /**
   * Aborted when the build is cancelled, and when the host has died: stop, clean
   * up, and throw the signal's reason. In the second case a plugin has 10
   * seconds; its calls of the ui, except `ask`, then do nothing.
   */
  signal: AbortSignal;
}

/**
 * Creates artifacts. One instance serves one build.
 *
 * Three flags of `baler build` are the builder's to implement, because only it
 * knows its steps; `runSteps` of `@baler/baler/builder` does so:
 *
 * - `-on-error` ({@linkcode BuildContext.onError}), when a step fails:
 *   `"cleanup"` removes what the earlier steps created, `"abort"` and
 *   `"run-cleanup-provisioner"` leave it in place and show which cleanups are
 *   skipped, `"ask"` asks whether to clean up, to abort or to try again.
 * - `-debug` ({@linkcode BuildContext.debug}): pause between steps, with
 *   `ui.ask`.
 * - The template's `error-cleanup-provisioner`: when the provisioners have
 *   failed, and `onError` is not `"abort"`, run the hook
 *   {@linkcode HOOK_CLEANUP_PROVISION} before anything is removed.
 *
 * @example
 * ```ts
 * import {
 *   type Builder,
 *   type BuilderRunOptions,
 *   HOOK_PROVISION,
 *   type PrepareOptions,
 * } from "@baler/baler";
 *
 * class CustomCloud implements Builder {
 *   #region = "";
 *
 *   prepare({ config }: PrepareOptions) {
 *     if (typeof config.region !== "string") throw new Error("region is required");
 *     this.#region = config.region;
 *   }
 *
 *   async run({ ui, hook, signal }: BuilderRunOptions) {
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
  /** The options of its configuration; without them every key is accepted. */
  readonly options?: Options;
  /**
   * Checks and stores the configuration, without side effects: `baler validate`
   * calls only this method.
   *
   * @param options The configuration and the build.
   * @returns Warnings and the names of generated data, or nothing.
   * @throws {ConfigError} With the path of each problem in the configuration.
   * @throws {Error} When the configuration is not valid otherwise.
   */
  prepare(
    options: PrepareOptions<Config>,
  ): PrepareResult | void | Promise<PrepareResult | void>;
  /**
   * Runs the build.
   *
   * @param options The ui, the hook and the signal.
   * @returns The artifact; undefined when there is none.
   * @throws {Error} When the build failed. The builder has then removed everything
   * that it created, unless `-on-error` forbids that.
   */
  run(
    options: BuilderRunOptions,
  ): Artifact | undefined | void | Promise<Artifact | undefined | void>;
}
