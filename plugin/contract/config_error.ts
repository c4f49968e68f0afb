// The error of a configuration: every problem with its path, from which the host
// finds the line in the template.

import { nearest } from "../common/did_you_mean.ts";

/** The `code` of a {@linkcode ConfigProblem}: the configuration has a key that is not known. */
export const UNKNOWN_KEY = "unknown-key";

/** One problem in a configuration. */
export interface ConfigProblem {
  /** The keys and indexes from the component's own configuration down to the value. */
  path: (string | number)[];
  /** What is wrong, and what to do. */
  message: string;
  /** The kind of problem, for programs, where it has one. */
  code?: "unknown-key";
}

/**
 * Thrown by a component whose configuration is not valid.
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
  /** The name of the error's class, which is kept when it is sent to another process. */
  override readonly name = "ConfigError";
  /** Every problem that was found. */
  readonly problems: ConfigProblem[];

  /**
   * Creates an error with all problems.
   *
   * @param problems Every problem that was found; at least one.
   */
  constructor(problems: ConfigProblem[]) {
    super(problems.map((problem) => problem.message).join("\n"));
    this.problems = problems;
  }

  /**
   * Creates the problem of an unknown key, which suggests the most similar known
   * key.
   *
   * @param path The path of the key.
   * @param known The known keys.
   * @returns The problem, for a `ConfigError`.
   */
  static async unknownKey(
    path: (string | number)[],
    known: readonly string[],
  ): Promise<ConfigProblem> {
    const key = String(path.at(-1));
    const near = await nearest(key, known);
    const hint = near === undefined ? "" : `; did you mean "${near}"?`;
    return {
      path,
      message: `unknown key "${key}"${hint}`,
      code: UNKNOWN_KEY,
    };
  }
}
