// Artifact: the result of a build. It consists of files, or of an ID of
// something elsewhere, and can delete itself.

/**
 * The result of a builder or a post-processor.
 *
 * `builderId`, `id` and `files` are read once, when the artifact is returned.
 * The methods are called in the process that made the artifact.
 *
 * @example
 * ```ts
 * import type { Artifact } from "@baler/baler";
 *
 * const artifact: Artifact = {
 *   builderId: "example.custom-cloud",
 *   id: "img-1234",
 *   files: [],
 *   destroy() {},
 *   toString: () => "image img-1234",
 * };
 * ```
 */
export interface Artifact {
  /** Identifies the kind of builder that made it, for post-processors that accept only some. */
  readonly builderId: string;
  /** Identifies the artifact where it is stored; empty when its files are all of it. */
  readonly id: string;
  /**
   * The paths of the artifact's files, as the template has them: a relative path
   * is relative to the build's `workingDirectory`.
   */
  readonly files: readonly string[];
  /**
   * Returns additional information about the artifact.
   *
   * @param name The name of the information.
   * @returns The value; undefined when there is none.
   */
  state?(name: string): unknown;
  /** Deletes the artifact: its files, or what its ID refers to. */
  destroy(): void | Promise<void>;
  /** Returns a description in one line, for example for the summary of a build. */
  toString(): string;
}
