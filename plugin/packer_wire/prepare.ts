// Preparing a component for Packer: its configuration, what it says to that,
// and the errors, which cross as one text.

import { ConfigError } from "../contract/config_error.ts";
import type { PrepareOptions, PrepareResult } from "../contract/builder.ts";
import type { Options } from "../contract/options.ts";
import { encodeSpec, type SpecEncoding, specOfOptions } from "./config_spec.ts";
import { decodeConfigs, hasUnknown } from "./configs.ts";
import { fields } from "./values.ts";

/** How the components of a plugin are made, and how they are described. */
export interface Serving<Component> {
  /** Makes a component, or returns the one there is. */
  create(): Promise<Component>;
  /** How a `ConfigSpec` is encoded. */
  specEncoding: SpecEncoding;
}

/** A component that takes a configuration. */
interface Configurable {
  readonly options?: Options;
}

type Prepare = (
  options: PrepareOptions,
) => PrepareResult | void | Promise<PrepareResult | void>;

/** The reply of `ConfigSpec`. An error would make Packer panic, so there is none. */
export async function configSpec(
  serving: Serving<Configurable>,
): Promise<{ ConfigSpec: Uint8Array }> {
  let options: Options | undefined;
  try {
    options = (await serving.create()).options;
  } catch (error) {
    // `Prepare`, which follows, fails with it.
    console.error(`the component cannot be made: ${(error as Error).message}`);
  }
  const { specEncoding } = serving;
  const spec = specOfOptions(options, specEncoding !== "gob without blocks");
  return { ConfigSpec: encodeSpec(spec, specEncoding) };
}

/**
 * Prepares a component with what Packer has sent.
 *
 * HCL2 prepares twice: first with values that are not known yet. What a
 * component says to those is no error.
 *
 * @param argument `{Configs}`.
 * @param options What the component declares.
 * @param prepare Its own method.
 * @throws {Error} With all problems in one text.
 */
export async function prepareWith(
  argument: unknown,
  options: Options | undefined,
  prepare: Prepare,
): Promise<PrepareResult> {
  const { config, build } = decodeConfigs(fields(argument).Configs, options);
  try {
    return await prepare({ config, build }) ?? {};
  } catch (error) {
    if (!hasUnknown(config)) throw error;
    if (!(error instanceof ConfigError)) {
      console.error(
        `not known yet, to be prepared again: ${(error as Error).message}`,
      );
      return {};
    }
    const problems = error.problems.filter(({ path }) =>
      !hasUnknown(valueAt(config, path))
    );
    if (problems.length > 0) throw new ConfigError(problems);
    return {};
  }
}

function valueAt(config: unknown, path: (string | number)[]): unknown {
  let value = config;
  for (const key of path) {
    if (typeof value !== "object" || value === null) break;
    value = Object.hasOwn(value, key)
      ? (value as Record<string | number, unknown>)[key]
      : undefined;
  }
  return value;
}

/** Shows warnings of a kind of component that has no place for them. */
export function logWarnings({ warnings = [] }: PrepareResult): void {
  for (const warning of warnings) console.error(`Warning: ${warning}`);
}

/** How a Go plugin tells of a key that it does not know. */
const UNKNOWN_KEY = /unknown configuration key: '?"([^"]+)"'?/g;

/**
 * The error of a plugin's `Prepare`, with a place for each key that it names.
 *
 * @param message The plugin's text.
 */
export function configErrorOf(message: string): ConfigError {
  const unknown = [...message.matchAll(UNKNOWN_KEY)].map(([, key]) => key!);
  const problems = unknown.map((key) => ({
    path: [key],
    message: `unknown key "${key}"`,
    code: "unknown-key" as const,
  }));
  const rest = message.replaceAll(UNKNOWN_KEY, "");
  // What is left of a multierror: its count, bullets and blanks.
  const others = rest.replace(/^\d+ errors? occurred:/, "")
    .split("\n").map((line) => line.replace(/^[\s*]+/, "").trim())
    .filter((line) => line !== "");
  return new ConfigError(
    unknown.length === 0
      ? [{ path: [], message }]
      : [...problems, ...others.map((message) => ({ path: [], message }))],
  );
}
