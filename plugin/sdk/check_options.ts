// Checks the options that a component declares: a plugin may be written in
// JavaScript, and a type checker does not see everything.

import { quoteWords } from "../common/quote_words.ts";
import type { Option, Options, OptionTypes } from "../contract/options.ts";

/** The check of an option's default by type, and a description of the valid values. */
const DEFAULTS: Record<
  keyof OptionTypes,
  [isValid: (value: unknown) => boolean, expected: string]
> = {
  string: [isString, "a string"],
  number: [isNumber, "a number"],
  boolean: [(value) => typeof value === "boolean", "true or false"],
  strings: [isStringList, "a list of strings"],
  map: [
    (value) =>
      typeof value === "object" && value !== null && !Array.isArray(value) &&
      Object.values(value).every(isString),
    "an object of strings",
  ],
  duration: [isNumber, "a number of milliseconds"],
  any: [isCloneable, "a value without functions"],
};

const KEYS: readonly string[] = [
  "type",
  "description",
  "required",
  "default",
  "oneOf",
  "interpolate",
] satisfies (keyof Option)[];

/**
 * Checks a declaration of options.
 *
 * @param options The value of a component's `options`.
 * @throws {TypeError} When it is not valid: with every problem, one a line.
 */
export function checkOptions(options: Options): void {
  if (
    typeof options !== "object" || options === null || Array.isArray(options)
  ) {
    throw new TypeError(
      "the plugin's options are not an object: declare them as { name: { type, description } }",
    );
  }
  const problems = Object.entries(options).flatMap(([name, option]) =>
    problemsOf(option).map((problem) =>
      `the plugin's option "${name}" ${problem}`
    )
  );
  if (problems.length > 0) throw new TypeError(problems.join("\n"));
}

function problemsOf(option: Option): string[] {
  const types = quoteWords(Object.keys(DEFAULTS));
  if (!Object.hasOwn(DEFAULTS, option?.type ?? "")) {
    return [
      `has no valid type: declare it as { type, description }, with one of the types ${types}`,
    ];
  }
  const { type, oneOf, default: value } = option;
  const problems = Object.keys(option).filter((key) => !KEYS.includes(key))
    .map((key) =>
      `has the key "${key}", which is not one of ${quoteWords(KEYS)}`
    );
  if (oneOf !== undefined) {
    if (type !== "string" && type !== "strings") {
      problems.push(
        `has "oneOf", which only the types "string" and "strings" can have, not "${type}"`,
      );
    } else if (!isStringList(oneOf) || oneOf.length === 0) {
      problems.push('has a "oneOf" that is not a list of strings');
    }
  }
  if (value === undefined) return problems;
  const [isValid, expected] = DEFAULTS[type];
  if (!isValid(value)) {
    problems.push(
      `has the default ${shown(value)}, which is not ${expected}`,
    );
  } else if (isStringList(oneOf)) {
    const words = Array.isArray(value) ? value : [value];
    const other = words.find((word) => !oneOf.includes(word));
    if (other !== undefined) {
      problems.push(
        `has the default ${shown(value)}, but "oneOf" has only ${
          quoteWords(oneOf)
        }`,
      );
    }
  }
  return problems;
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isString);
}

function isNumber(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value);
}

/** Whether a value can be copied: each instance gets a copy of the default. */
function isCloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

function shown(value: unknown): string {
  return typeof value === "object"
    ? JSON.stringify(value) ?? String(value)
    : isString(value)
    ? JSON.stringify(value)
    : String(value);
}
