// Keys that superjson's writer refuses, `constructor` and `prototype`, are
// renamed before it writes a message and get their names back afterwards.
// They are dangerous only where a reader assigns through them, which baler's
// does not.

import { isPlainObject } from "./value_kind.ts";

/** Stands behind a renamed key; nothing that is sent can have it by chance. */
const SUFFIX = `-${crypto.randomUUID()}`;

/** The keys that superjson's writer refuses and baler's reader accepts. */
const RENAMED: ReadonlySet<string> = new Set(["constructor", "prototype"]);

/**
 * A copy of a message in which such keys are renamed.
 *
 * @param message The message.
 * @returns The message itself where there is no such key.
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
      // Not map(), so that the holes of an array stay.
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

/** Whether an object goes by reference, and so must stay the same object. */
function hasFunctions(value: object): boolean {
  return Object.values(value).some((inner) => typeof inner === "function");
}

/**
 * Gives renamed keys their names back, in the JSON and in the paths of `meta`.
 *
 * @param line The JSON text of a message.
 */
export function restoreKeys(line: string): string {
  return line.replaceAll(SUFFIX, "");
}
