// Post-processor: creates an artifact from an artifact, for example an archive, an
// upload or a manifest.

import type { Artifact } from "./artifact.ts";
import type { PrepareOptions, PrepareResult } from "./builder.ts";
import type { Options } from "./options.ts";
import type { Ui } from "./ui.ts";

/** The argument of {@linkcode PostProcessor.postProcess}. */
export interface PostProcessOptions {
  /** Shows what the post-processor does. */
  ui: Ui;
  /** The artifact to process. */
  artifact: Artifact;
  /** The values that the builder has published, for ``{{build `NAME`}}``. */
  data: Record<string, unknown>;
  /**
   * Aborted when the build is cancelled, and when the host has died: stop, clean
   * up, and throw its reason.
   */
  signal: AbortSignal;
}

/** The result of a post-processor. */
export interface PostProcessResult {
  /**
   * The new artifact; the input artifact when there is no new one. With
   * undefined the sequence ends: the next post-processor has nothing to
   * process.
   */
  artifact: Artifact | undefined;
  /**
   * True to keep the input artifact although the template does not say so, for
   * example because the new artifact refers to it.
   */
  keep?: boolean;
  /** True when `keep` overrides the template's `keep_input_artifact`. */
  mustKeep?: boolean;
}

/** Processes an artifact. One instance serves one build. */
export interface PostProcessor<Config = Record<string, unknown>> {
  /** The options of its configuration; without them every key is accepted. */
  readonly options?: Options;
  /**
   * Checks and stores the configuration, without side effects.
   *
   * @param options The configuration and the build.
   * @returns Warnings, or nothing.
   * @throws {ConfigError} With the path of each problem in the configuration.
   * @throws {Error} When the configuration is not valid otherwise.
   */
  configure(
    options: PrepareOptions<Config>,
  ): PrepareResult | void | Promise<PrepareResult | void>;
  /**
   * Processes the artifact.
   *
   * @param options The ui, the artifact and the signal.
   * @returns The new artifact, and whether to keep the input artifact.
   * @throws {Error} When it failed; the build then fails.
   */
  postProcess(
    options: PostProcessOptions,
  ): PostProcessResult | Promise<PostProcessResult>;
}
