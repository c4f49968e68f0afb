// Checks the options that a component declares: a plugin may be written in
// JavaScript, and a type checker does not see everything.

import { quoteWords } from "../common/quote_words.ts";
import type { Option, Options, OptionType } from "../contract/options.ts";

/** The check of an option's default by type, and a description of the valid values. */
const DEFAULTS: Record<
  OptionType,
  [isValid: (value: unknown) => boolean, expected: string]
> = {
  string: [isString, "a string"],
  number: [isNumber, "a number"],
  boolean: [(value) => typeof value === "boolean", "true or false"],
  strings: [isStringList, "a list of strings"],
  map: [
    (value) => isObject(value) && Object.values(value).every(isString),
    "an object of strings",
  ],
  duration: [isNumber, "a number of milliseconds"],
  any: [isCloneable, "a value without functions"],
  object: [
    (value) => isObject(value) && Object.keys(value).length === 0,
    "an empty object",
  ],
  objects: [
    (value) => Array.isArray(value) && value.length === 0,
    "an empty list",
  ],
};

const COMMON_KEYS = ["type", "description", "required", "default"] as const;

/** The keys of an option whose value has no options of its own. */
const KEYS: readonly string[] = [...COMMON_KEYS, "oneOf", "interpolate"];

/** The keys of an option of the types `object` and `objects`. */
const NESTED_KEYS: readonly string[] = [...COMMON_KEYS, "options"];

/** How deep options may be nested. */
const MAX_DEPTH = 10;

/**
 * Checks a declaration of options.
 *
 * @param options The value of a component's `options`.
 * @throws {TypeError} When it is not valid: with every problem, one a line.
 */
export function checkOptions(options: Options): void {
  if (!isObject(options)) {
    throw new TypeError(
      "the plugin's options are not an object: declare them as { name: { type, description } }",
    );
  }
  const problems = allProblems(options, []);
  if (problems.length > 0) throw new TypeError(problems.join("\n"));
}

/** The problems of options at a place, and of those that are nested in them. */
function allProblems(options: Options, path: readonly string[]): string[] {
  return Object.entries(options).flatMap(([name, option]) => {
    const at = [...path, name];
    const problems = problemsOf(option, at.length).map((problem) =>
      `the plugin's option "${at.join(".")}" ${problem}`
    );
    // What cannot be read has no nested options.
    return problems.length > 0 || !("options" in option)
      ? problems
      : allProblems(option.options, at);
  });
}

function problemsOf(option: Option, depth: number): string[] {
  const types = quoteWords(Object.keys(DEFAULTS));
  if (!Object.hasOwn(DEFAULTS, option?.type ?? "")) {
    return [
      `has no valid type: declare it as { type, description }, with one of the types ${types}`,
    ];
  }
  const { type, oneOf, default: value } = option;
  const isNested = type === "object" || type === "objects";
  const keys = isNested ? NESTED_KEYS : KEYS;
  const problems = Object.keys(option).filter((key) => !keys.includes(key))
    .map((key) =>
      `has the key "${key}", which is not one of ${quoteWords(keys)}`
    );
  if (isNested) {
    if (!isObject(option.options)) {
      problems.push(
        `has no "options": declare what is in it as { name: { type, description } }`,
      );
    } else if (depth >= MAX_DEPTH) {
      problems.push(`is nested deeper than ${MAX_DEPTH}`);
    } else if (
      type === "object" && value !== undefined && hasRequired(option.options)
    ) {
      problems.push(
        "has a default, but a required option in it, which has no value then",
      );
    }
  }
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

function hasRequired(options: Options): boolean {
  return Object.values(options).some((option) =>
    option?.required === true && option.default === undefined
  );
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
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
