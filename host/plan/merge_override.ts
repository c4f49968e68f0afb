// Overlaying: what a provisioner's `override` makes of its configuration.

import { isObject } from "../json/json_value.ts";

/**
 * Lays one configuration over another as Packer does, which decodes them one
 * after the other into the same structure: an object key by key, and a list
 * item by item, so that what a longer list has behind stays.
 *
 * @param under The configuration.
 * @param over What it has otherwise; null has no say.
 */
export function deepMerge(under: unknown, over: unknown): unknown {
  if (over === null) return under ?? null;
  if (under === null || under === undefined) return over;
  if (isObject(under) && isObject(over)) {
    const keys = new Set([...Object.keys(under), ...Object.keys(over)]);
    return Object.fromEntries(
      [...keys].map((key) => [
        key,
        !Object.hasOwn(over, key)
          ? under[key]
          : Object.hasOwn(under, key)
          ? deepMerge(under[key], over[key])
          : over[key],
      ]),
    );
  }
  if (Array.isArray(under) || Array.isArray(over)) {
    // A list of one may be written as the one.
    const [below, above] = [[under].flat(), [over].flat()];
    return Array.from(
      { length: Math.max(below.length, above.length) },
      (_, index) =>
        index < above.length
          ? deepMerge(below[index], above[index])
          : below[index],
    );
  }
  return over;
}
