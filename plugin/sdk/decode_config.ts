// Decodes a component's configuration by the options that it declares: fills in
// templates, converts values, applies defaults, and collects every problem with
// its path.

import { parseGoBool } from "../common/go_bool.ts";
import { parseDuration } from "../common/duration.ts";
import { quoteWords } from "../common/quote_words.ts";
import type { BuildContext } from "../contract/build_context.ts";
import { ConfigError, type ConfigProblem } from "../contract/config_error.ts";
import type {
  DecodedConfig,
  NestedOption,
  Option,
  Options,
  OptionTypes,
} from "../contract/options.ts";
import { renderAll, type RenderData, withSharedLimit } from "./render.ts";

/** The keys and indexes from the configuration down to a value. */
type Path = (string | number)[];

/**
 * Decodes a configuration by the options that a component declares: fills in
 * its templates, converts values that a template may write in another type,
 * applies defaults, and rejects unknown keys.
 *
 * `serve` does so before it calls `prepare`. A component calls this itself only
 * for a configuration that it got in another way.
 *
 * @param config The configuration in the template.
 * @param options The options; undefined to accept every key.
 * @param build The build that the component is a part of.
 * @param data The data that templates in the configuration can use besides the build.
 * @returns The decoded configuration.
 * @throws {ConfigError} With every problem that was found.
 */
export async function decodeConfig<O extends Options>(
  config: Record<string, unknown>,
  options: O | undefined,
  build: BuildContext,
  data: RenderData = {},
): Promise<DecodedConfig<O>> {
  const { decoded, problems } = await decode(config, options, build, data);
  if (problems.length > 0) throw new ConfigError(problems);
  return decoded as DecodedConfig<O>;
}

/** A decoded configuration, as far as it could be decoded. */
export interface Decoded {
  /** The values by key; those with a problem are missing. */
  readonly decoded: Record<string, unknown>;
  /** Every problem that was found. */
  readonly problems: ConfigProblem[];
}

/**
 * Like {@linkcode decodeConfig}, but returns the problems.
 *
 * @param config The configuration in the template.
 * @param options The options; undefined to accept every key.
 * @param build The build that the component is a part of.
 * @param data The data that templates in the configuration can use besides the build.
 */
export async function decode(
  config: Record<string, unknown>,
  options: Options | undefined,
  build: BuildContext,
  data: RenderData,
): Promise<Decoded> {
  const limited = withSharedLimit(data);
  return await decodeObject(config, options, [], {
    render: (value, path) => renderAll(value, build, path, limited),
  });
}

/** What the values of a configuration are decoded with. */
interface Decoding {
  /** Fills in the templates in a value. */
  render(value: unknown, path: Path): Promise<unknown>;
}

/** Decodes the configuration, or an object in it, by the options of that object. */
async function decodeObject(
  config: Record<string, unknown>,
  options: Options | undefined,
  at: Path,
  decoding: Decoding,
): Promise<Decoded> {
  const problems: ConfigProblem[] = [];
  const decoded: Record<string, unknown> = {};
  const spellings = firstSpellings(config);
  for (const [key, raw] of Object.entries(config)) {
    const path = [...at, key];
    const name = options === undefined
      ? key
      : optionName(key, config, options, spellings);
    if (name === undefined) {
      problems.push(await ConfigError.unknownKey(path, Object.keys(options!)));
      continue;
    }
    try {
      const value = await decodeValue(raw, options?.[name], path, decoding);
      setOwn(decoded, name, value);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
    }
  }
  for (const [key, option] of Object.entries(options ?? {})) {
    if (Object.hasOwn(decoded, key) && decoded[key] !== undefined) continue;
    const path = [...at, key];
    if (option.default !== undefined) {
      const value = option.type === "object"
        ? await decodeNested({}, option, path, decoding)
        : structuredClone(option.default);
      setOwn(decoded, key, value);
    } else if (option.required && !hasKey(config, key)) {
      problems.push({ path, message: `"${path.join(".")}" must be given` });
    }
  }
  return { decoded, problems };
}

async function decodeValue(
  raw: unknown,
  option: Option | undefined,
  path: Path,
  decoding: Decoding,
): Promise<unknown> {
  if (option?.type === "object" || option?.type === "objects") {
    return await decodeNested(raw, option, path, decoding);
  }
  const value = option?.interpolate === false
    ? raw
    : await decoding.render(raw, path);
  return option === undefined ? value : convert(value, option, path);
}

/** Decodes an object that has options of its own, or a list of them. */
async function decodeNested(
  raw: unknown,
  { type, options }: NestedOption,
  path: Path,
  decoding: Decoding,
): Promise<unknown> {
  if (raw === null || raw === undefined) return undefined;
  const problems: ConfigProblem[] = [];
  const decodeItem = async (item: unknown, at: Path) => {
    if (!isObject(item)) {
      const expected = type === "object" || at !== path
        ? "an object"
        : "a list of objects";
      throw problem(at, `must be ${expected}, not ${described(item)}`);
    }
    const result = await decodeObject(item, options, at, decoding);
    problems.push(...result.problems);
    return result.decoded;
  };
  let decoded: unknown;
  if (type === "objects") {
    const items: unknown[] = [];
    // As in Packer, one object stands for a list of it.
    for (const [index, item] of (Array.isArray(raw) ? raw : [raw]).entries()) {
      try {
        items.push(
          await decodeItem(item, Array.isArray(raw) ? [...path, index] : path),
        );
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        problems.push(...error.problems);
      }
    }
    decoded = items;
  } else decoded = await decodeItem(raw, path);
  if (problems.length > 0) throw new ConfigError(problems);
  return decoded;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Sets a property of any name, `__proto__` included. */
function setOwn(
  object: Record<string, unknown>,
  name: string,
  value: unknown,
): void {
  Object.defineProperty(object, name, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

function hasKey(config: Record<string, unknown>, name: string): boolean {
  return Object.keys(config).some((key) =>
    key.toLowerCase() === name.toLowerCase()
  );
}

/** The first of the keys that differ only in case, by that key in lower case. */
function firstSpellings(
  config: Record<string, unknown>,
): ReadonlyMap<string, string> {
  const spellings = new Map<string, string>();
  for (const key of Object.keys(config)) {
    const lowerCase = key.toLowerCase();
    if (!spellings.has(lowerCase)) spellings.set(lowerCase, key);
  }
  return spellings;
}

/** Returns the option of a key. As in Packer, keys are case-insensitive, unless the exact key is also present. */
function optionName(
  key: string,
  config: Record<string, unknown>,
  options: Options,
  spellings: ReadonlyMap<string, string>,
): string | undefined {
  if (Object.hasOwn(options, key)) return key;
  const lowerCase = key.toLowerCase();
  if (spellings.get(lowerCase) !== key) return undefined;
  return Object.keys(options).find((name) =>
    name.toLowerCase() === lowerCase && !Object.hasOwn(config, name)
  );
}

function convert(
  value: unknown,
  option: Exclude<Option, NestedOption>,
  path: Path,
): unknown {
  if (value === null || value === undefined) return undefined;
  const converted = CONVERTERS[option.type](value, path);
  if (option.oneOf !== undefined) checkOneOf(converted, option.oneOf, path);
  return converted;
}

/** Checks a string, or each string of a list. */
function checkOneOf(
  value: unknown,
  oneOf: readonly string[],
  path: Path,
): void {
  if (!Array.isArray(value)) {
    if (oneOf.includes(value as string)) return;
    throw problem(
      path,
      `must be one of ${quoteWords(oneOf)}, not ${JSON.stringify(value)}`,
    );
  }
  collectProblems(value, path, (item, at) => checkOneOf(item, oneOf, at));
}

/** Handles each item of a list or object, and throws one error with all problems. */
function collectProblems<Result>(
  values: object,
  path: Path,
  handle: (value: unknown, path: Path) => Result,
): [key: string, result: Result][] {
  const problems: ConfigProblem[] = [];
  const results: [string, Result][] = [];
  for (const [key, value] of Object.entries(values)) {
    const at = [...path, Array.isArray(values) ? Number(key) : key];
    try {
      results.push([key, handle(value, at)]);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return results;
}

type Converter = (value: unknown, path: Path) => unknown;

const CONVERTERS: Record<keyof OptionTypes, Converter> = {
  string: toString,
  number(value, path) {
    const number = typeof value === "string" && value.trim() !== ""
      ? Number(value)
      : value;
    if (typeof number !== "number" || !Number.isFinite(number)) {
      throw problem(path, `must be a number, not ${described(value)}`);
    }
    return number;
  },
  boolean(value, path) {
    if (typeof value === "boolean") return value;
    // As in Packer, an empty string is false.
    const parsed = value === "" ? false : parseGoBool(String(value));
    if (parsed !== undefined) return parsed;
    throw problem(path, `must be true or false, not ${described(value)}`);
  },
  strings(value, path) {
    if (!Array.isArray(value)) {
      return [toString(value, path, "a list of strings")];
    }
    return collectProblems(value, path, itemToString).map(([, item]) => item);
  },
  map(value, path) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw problem(
        path,
        `must be an object of strings, not ${described(value)}`,
      );
    }
    return Object.fromEntries(collectProblems(value, path, itemToString));
  },
  duration(value, path) {
    const milliseconds = parseDuration(value);
    if (milliseconds === undefined) {
      throw problem(
        path,
        `must be a duration such as "5s" or "1h30m", not ${described(value)}`,
      );
    }
    return milliseconds;
  },
  any: (value) => value,
};

/** Returns an item of a list or an object as a string. As in Packer, null becomes "". */
function itemToString(value: unknown, path: Path): string {
  return value === null ? "" : toString(value, path);
}

function toString(value: unknown, path: Path, expected = "a string"): string {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
      return String(value);
    case "boolean":
      // As the weak decoding of Go's mapstructure does, which Packer uses.
      return value ? "1" : "0";
    default:
      throw problem(path, `must be ${expected}, not ${described(value)}`);
  }
}

function problem(path: Path, message: string): ConfigError {
  return new ConfigError([{ path, message: `"${path.join(".")}" ${message}` }]);
}

function described(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  return JSON.stringify(value) ?? String(value);
}
