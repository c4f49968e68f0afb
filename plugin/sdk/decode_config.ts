// Options are the configuration that a component declares: what a template
// may say to it, checked before the component sees it, with every problem
// found at once and each one told with its place.

import type { BuildContext } from "../contract/build_context.ts";
import { ConfigError, type ConfigProblem } from "../contract/config_error.ts";
import type {
  ConfigOf,
  Option,
  Options,
  OptionTypes,
} from "../contract/options.ts";
import { parseDuration } from "../common/duration.ts";
import { renderAll, type RenderData } from "./render.ts";

/**
 * Checks a configuration against the options that a component declares:
 * renders its templates, converts what a template may write loosely, fills in
 * defaults, and refuses what is unknown.
 *
 * `serve` calls it before `prepare`; a component calls it itself only for a
 * configuration that it got in another way.
 *
 * @param config The configuration as the template has it.
 * @param options What the component declares; anything is taken when absent.
 * @param build The build that the component is a part of.
 * @param data What its templates may refer to beside the build.
 * @returns The configuration with its final values.
 * @throws {ConfigError} With every problem that was found.
 */
export async function decodeConfig<O extends Options>(
  config: Record<string, unknown>,
  options: O | undefined,
  build: BuildContext,
  data: RenderData = {},
): Promise<ConfigOf<O>> {
  const problems: ConfigProblem[] = [];
  const decoded: Record<string, unknown> = {};
  for (const [key, raw] of Object.entries(config)) {
    const name = options === undefined ? key : optionName(key, config, options);
    if (name === undefined) {
      problems.push(
        await ConfigError.unknownKey([key], Object.keys(options!)),
      );
      continue;
    }
    const option = options?.[name];
    try {
      const value = option?.interpolate === false
        ? raw
        : await renderAll(raw, build, [key], data);
      decoded[name] = option === undefined
        ? value
        : convert(value, option, [key]);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
    }
  }
  for (const [key, option] of Object.entries(options ?? {})) {
    if (decoded[key] !== undefined) continue;
    if (option.default !== undefined) {
      decoded[key] = structuredClone(option.default);
    } else if (option.required && !hasKey(config, key)) {
      problems.push({ path: [key], message: `"${key}" must be given` });
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return decoded as ConfigOf<O>;
}

/**
 * Checks what a component declares, which may never have met a type checker.
 *
 * @param options What it declares.
 * @throws {TypeError} When that is no declaration of options.
 */
export function checkOptions(options: Options): void {
  if (
    typeof options !== "object" || options === null || Array.isArray(options)
  ) {
    throw new TypeError(
      "the plugin's options are no object: declare them as { name: { type, description } }",
    );
  }
  for (const [name, option] of Object.entries(options)) {
    if (!Object.hasOwn(converters, option?.type ?? "")) {
      throw new TypeError(
        `the plugin's option "${name}" has no type that there is: declare it as { type, description }, with one of the types ${
          quoted(Object.keys(converters))
        }`,
      );
    }
  }
}

function hasKey(config: Record<string, unknown>, name: string): boolean {
  return Object.keys(config).some((key) =>
    key.toLowerCase() === name.toLowerCase()
  );
}

/** The option that a key stands for: in any case, as in Packer, unless its own name is there, too. */
function optionName(
  key: string,
  config: Record<string, unknown>,
  options: Options,
): string | undefined {
  if (Object.hasOwn(options, key)) return key;
  const same = (other: string) => other.toLowerCase() === key.toLowerCase();
  if (Object.keys(config).find(same) !== key) return undefined;
  return Object.keys(options).find((name) =>
    same(name) && !Object.hasOwn(config, name)
  );
}

function convert(
  value: unknown,
  option: Option,
  path: (string | number)[],
): unknown {
  if (value === null || value === undefined) return undefined;
  const converted = converters[option.type](value, path);
  if (option.oneOf && !option.oneOf.includes(converted as string)) {
    throw problem(
      path,
      `must be one of ${quoted(option.oneOf)}, not ${JSON.stringify(value)}`,
    );
  }
  return converted;
}

type Converter = (value: unknown, path: (string | number)[]) => unknown;

const converters: Record<keyof OptionTypes, Converter> = {
  string: text,
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
    // The words that Go's strconv.ParseBool takes.
    if (/^(1|t|T|TRUE|true|True)$/.test(String(value))) return true;
    if (/^(0|f|F|FALSE|false|False|)$/.test(String(value))) return false;
    throw problem(path, `must be true or false, not ${described(value)}`);
  },
  strings(value, path) {
    if (!Array.isArray(value)) return [text(value, path, "a list of texts")];
    return value.map((item, index) => inner(item, [...path, index]));
  },
  map(value, path) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw problem(
        path,
        `must be an object of texts, not ${described(value)}`,
      );
    }
    return Object.fromEntries(
      Object.entries(value).map((
        [key, item],
      ) => [key, inner(item, [...path, key])]),
    );
  },
  duration(value, path) {
    const milliseconds = parseDuration(value);
    if (milliseconds === undefined) {
      throw problem(
        path,
        `must be a length of time such as "5s" or "1h30m", not ${
          described(value)
        }`,
      );
    }
    return milliseconds;
  },
  any: (value) => value,
};

/** A text in a list or an object, where null is the empty one, as in Packer. */
function inner(value: unknown, path: (string | number)[]): string {
  return value === null ? "" : text(value, path);
}

function text(
  value: unknown,
  path: (string | number)[],
  wanted = "a text",
): string {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
      return String(value);
    case "boolean":
      // As Go's mapstructure weakly decodes it, which is what Packer uses.
      return value ? "1" : "0";
    default:
      throw problem(path, `must be ${wanted}, not ${described(value)}`);
  }
}

function problem(path: (string | number)[], message: string): ConfigError {
  return new ConfigError([{ path, message: `"${path.join(".")}" ${message}` }]);
}

function described(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  return JSON.stringify(value) ?? String(value);
}

function quoted(words: readonly string[]): string {
  return words.map((word) => JSON.stringify(word)).join(", ");
}
