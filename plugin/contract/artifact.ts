// An artifact is what a build made: files, or the id of something elsewhere,
// and the way to take it away again.

/**
 * What a builder or a post-processor made.
 *
 * `builderId`, `id` and `files` are read once, when the artifact is handed
 * over; the methods stay live and run where the artifact was made.
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
  /** Names the builder that made it, for post-processors that accept only some. */
  readonly builderId: string;
  /** What identifies the artifact where it lives; empty when its files say it all. */
  readonly id: string;
  /**
   * The files that make up the artifact, named as the template names them: a
   * relative path is meant from the build's `workingDirectory`.
   */
  readonly files: readonly string[];
  /**
   * Something more about the artifact, for those who know to ask.
   *
   * @param name The name of what is asked for.
   * @returns The value, or undefined where there is none.
   */
  state?(name: string): unknown;
  /** Deletes the artifact: its files, or what it stands for elsewhere. */
  destroy(): void | Promise<void>;
  /** The artifact in one line for people, for example in the summary of a build. */
  toString(): string;
}
