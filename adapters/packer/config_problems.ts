// What a plugin of Packer's finds wrong with its configuration may be one text for several problems. Here each
// becomes a problem of its own, with its place where it names a key, so that the host can point at the line.

import {
  ConfigError,
  type ConfigProblem,
} from "../../plugin/contract/config_error.ts";

/**
 * Splits the problems of a configuration, and finds their places.
 *
 * @param error What the component threw.
 * @param config The configuration that it was given.
 * @returns The error to throw in its place.
 */
export function locateProblems(
  error: unknown,
  config: Record<string, unknown>,
): unknown {
  if (!(error instanceof Error)) return error;
  const problems: readonly ConfigProblem[] = error instanceof ConfigError
    ? error.problems
    : [{ path: [], message: error.message }];
  return new ConfigError(
    problems.flatMap(({ path, message }) =>
      path.length > 0
        ? [{ path, message }]
        : listItems(message).map((item) => ({
          path: placeOf(item, config),
          message: item,
        }))
    ),
  );
}

/** The line before the items of a list. */
const COUNT = /^\d+ (?:errors?|error\(s\)) occurred:$/;

/**
 * The items of Go's list of errors: a line that counts them, then `* ` before each. An item that is a list, too,
 * has its items among the others. Another text is one item.
 */
function listItems(text: string): string[] {
  const [first, ...rest] = text.trim().split("\n");
  if (!COUNT.test(first!.trim())) return [text.trim()];
  const items = rest.join("\n").split(/^\s*\* /m).map((item) => item.trim())
    .filter((item) => item !== "" && !COUNT.test(item));
  return items.length === 0 ? [text.trim()] : items;
}

/** The one key of the configuration that a message names; its beginning where it names none, or several. */
function placeOf(
  message: string,
  config: Record<string, unknown>,
): string[] {
  const words = new Set(message.match(/[A-Za-z0-9_]+/g) ?? []);
  const named = Object.keys(config).filter((key) => words.has(key));
  return named.length === 1 ? named : [];
}
