// Merges the `override` of a provisioner into its configuration.

import { isObject } from "../json/json_value.ts";

/**
 * Merges one configuration into another as Packer does, which decodes both into
 * the same structure, one after the other: objects are merged by key, lists by
 * index, so that the surplus items of a longer list are kept.
 *
 * @param under The configuration.
 * @param over The override; null changes nothing.
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
    // A list of one item may be written as the item.
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
