// Keys that superjson refuses to write, `constructor` and `prototype`, are renamed
// before it writes a message, and get their names back afterwards. They are
// dangerous only for a decoder that assigns through them; baler's does not.

import { isPlainObject } from "./value_kind.ts";

/** The suffix of a renamed key. It is random, so that no value contains it. */
const SUFFIX = `-${crypto.randomUUID()}`;

/** The keys that superjson refuses to write and baler's decoder accepts. */
const RENAMED: ReadonlySet<string> = new Set(["constructor", "prototype"]);

/**
 * Returns a copy of a message in which such keys are renamed.
 *
 * @param message The message.
 * @returns The copy; the message itself if it has no such key.
 */
export function renameKeys<T extends object>(message: T): T {
  const copies = new Map<object, object>();
  let isRenamed = false;
  const copy = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    const before = copies.get(value);
    if (before !== undefined) return before;
    if (Array.isArray(value)) {
      const list: unknown[] = new Array(value.length);
      copies.set(value, list);
      // Not map(), which would fill the holes of an array.
      for (const index of value.keys()) {
        if (index in value) list[index] = copy(value[index]);
      }
      return list;
    }
    if (value instanceof Map) {
      const map = new Map();
      copies.set(value, map);
      for (const [key, inner] of value) map.set(copy(key), copy(inner));
      return map;
    }
    if (value instanceof Set) {
      const set = new Set();
      copies.set(value, set);
      for (const inner of value) set.add(copy(inner));
      return set;
    }
    if (!isPlainObject(value) || hasFunctions(value)) return value;
    const object: Record<string, unknown> = {};
    copies.set(value, object);
    for (const [key, inner] of Object.entries(value)) {
      isRenamed ||= RENAMED.has(key);
      Object.defineProperty(object, RENAMED.has(key) ? key + SUFFIX : key, {
        value: copy(inner),
        configurable: true,
        enumerable: true,
        writable: true,
      });
    }
    return object;
  };
  const renamed = copy(message) as T;
  return isRenamed ? renamed : message;
}

/** Whether an object is sent by reference, so that it must stay the same object. */
function hasFunctions(value: object): boolean {
  return Object.values(value).some((inner) => typeof inner === "function");
}

/**
 * Restores the names of renamed keys, in the JSON and in the paths of `meta`.
 *
 * @param line The JSON text of a message.
 */
export function restoreKeys(line: string): string {
  return line.replaceAll(SUFFIX, "");
}
