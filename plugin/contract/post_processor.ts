// A post-processor makes an artifact out of an artifact: compressed, uploaded,
// listed in a manifest.

import type { Artifact } from "./artifact.ts";
import type { PrepareOptions, PrepareResult } from "./builder.ts";
import type { Options } from "./options.ts";
import type { Ui } from "./ui.ts";

/** What a post-processor is given to run with. */
export interface PostProcessOptions {
  /** Where the post-processor shows what it does. */
  ui: Ui;
  /** The artifact to work on. */
  artifact: Artifact;
  /** What the builder published, for ``{{build `NAME`}}``. */
  data: Record<string, unknown>;
  /** Aborted when the build is cancelled. */
  signal: AbortSignal;
}

/** What a post-processor made. */
export interface PostProcessResult {
  /**
   * The artifact; the one that came in, where it made none of its own. With
   * undefined the sequence ends: there is nothing for the next one to work on.
   */
  artifact: Artifact | undefined;
  /**
   * True when the artifact that came in must stay even though the template
   * does not ask for it, for example because the new one is made of it.
   */
  keep?: boolean;
  /** True when `keep` holds even against the template's `keep_input_artifact`. */
  mustKeep?: boolean;
}

/** Works on an artifact. One instance serves one build. */
export interface PostProcessor<Config = Record<string, unknown>> {
  /** The configuration that it takes; any, when it declares none. */
  readonly options?: Options;
  /**
   * Takes the configuration and checks it, with no side effects.
   *
   * @throws {Error} When the configuration cannot be used.
   */
  configure(
    options: PrepareOptions<Config>,
  ): PrepareResult | void | Promise<PrepareResult | void>;
  /**
   * Works on the artifact.
   *
   * @throws {Error} When it failed: the build fails with it.
   */
  postProcess(
    options: PostProcessOptions,
  ): PostProcessResult | Promise<PostProcessResult>;
}
