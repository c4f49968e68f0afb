// A configuration error tells every problem that a component found in its
// configuration, each with its place, so that the host can point at the line.

import { nearest } from "../common/did_you_mean.ts";

/** One thing that is wrong in a configuration. */
export interface ConfigProblem {
  /** Where: the keys and indexes from the component's own configuration down. */
  path: (string | number)[];
  /** What is wrong, and what to do. */
  message: string;
}

/**
 * A configuration that a component refuses.
 *
 * @example
 * ```ts
 * import { ConfigError } from "@baler/baler";
 *
 * const error = new ConfigError([
 *   { path: ["port"], message: '"port" must be from 1 to 65535, not 0' },
 * ]);
 * console.log(error.message); // "port" must be from 1 to 65535, not 0
 * ```
 */
export class ConfigError extends Error {
  /** The error's class, which stays when it crosses to another process. */
  override readonly name = "ConfigError";
  /** Every problem that was found. */
  readonly problems: ConfigProblem[];

  /**
   * Makes the error of all problems together.
   *
   * @param problems Every problem that was found; at least one.
   */
  constructor(problems: ConfigProblem[]) {
    super(problems.map((problem) => problem.message).join("\n"));
    this.problems = problems;
  }

  /**
   * The problem of a key that is not known, with the known one that is most
   * like it.
   *
   * @param path Where it stands.
   * @param known The keys that are known there.
   */
  static async unknownKey(
    path: (string | number)[],
    known: readonly string[],
  ): Promise<ConfigProblem> {
    const key = String(path.at(-1));
    const near = await nearest(key, known);
    const hint = near === undefined ? "" : `; did you mean "${near}"?`;
    return { path, message: `unknown key "${key}"${hint}` };
  }
}
