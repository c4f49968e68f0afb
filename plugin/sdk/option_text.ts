// An option in words, for tables and help.

import { goDuration } from "../common/duration.ts";
import type { Option, Options } from "../contract/options.ts";

/**
 * Lists options, each nested one behind the option that it is in, as
 * `disks.size`.
 *
 * @param options The options.
 */
export function optionEntries(options: Options): [name: string, Option][] {
  return Object.entries(options).flatMap(([name, option]) => [
    [name, option] as [string, Option],
    ...("options" in option
      ? optionEntries(option.options).map((
        [nested, option],
      ) => [`${name}.${nested}`, option] as [string, Option])
      : []),
  ]);
}

/**
 * Returns the default of an option as a template writes it.
 *
 * @param option The option.
 * @returns The default as JSON, or `required`; undefined where there is neither.
 */
export function defaultText(option: Option): string | undefined {
  if (option.required) return "required";
  const value = option.default;
  if (value === undefined) return undefined;
  if (option.type !== "duration") return JSON.stringify(value);
  // "5m" for Go's "5m0s".
  return JSON.stringify(
    goDuration(value as number).replace(/(?<=[hm])0[ms]/g, ""),
  );
}

/**
 * Returns the description of an option, with the allowed values where it does
 * not name them all.
 *
 * @param option The option.
 */
export function descriptionText({ description, oneOf }: Option): string {
  if (oneOf?.some((word) => !description.includes(`\`${word}\``))) {
    return `${description} One of ${
      oneOf.map((word) => `\`${word}\``).join(", ")
    }.`;
  }
  return description;
}
