// The kinds of values that superjson does not support, or that baler sends in a way
// of its own.

import { bufferType } from "./typed_arrays.ts";

/** How a value is sent that superjson does not encode. */
export type Kind =
  | "bytes"
  | "buffer"
  | "error"
  | "function"
  | "object"
  | "signal"
  | "readable"
  | "writable"
  | "unsendable";

/** The kinds of value that are sent by reference. */
export type ReferenceKind = Extract<
  Kind,
  "function" | "object" | "signal" | "readable" | "writable"
>;

/** Whether an object is an object literal or the like, and not an instance of a class. */
export function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Returns the kind of a value; undefined if superjson encodes it.
 *
 * An instance of a class is sent by reference, even one without methods: its
 * private fields would be lost otherwise, without an error. A plain object with
 * methods is sent by reference too, so that `this` in them stays the same object.
 */
export function valueKind(value: unknown): Kind | undefined {
  switch (typeof value) {
    case "function":
      return "function";
    case "symbol":
      return "unsendable";
    case "object":
      break;
    default:
      return undefined;
  }
  if (value === null) return undefined;
  if (Array.isArray(value)) return isSparse(value) ? "unsendable" : undefined;
  if (isPlainObject(value)) {
    let kind: Kind | undefined;
    for (const key in value) {
      if (typeof (value as Record<string, unknown>)[key] === "function") {
        // The peer would treat it as a promise.
        if (key === "then") return "unsendable";
        kind = "object";
      }
    }
    return kind;
  }
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Error) return "error";
  if (
    value instanceof Map || value instanceof Set || value instanceof RegExp ||
    value instanceof URL
  ) return undefined;
  if (value instanceof Date) {
    return Number.isNaN(value.valueOf()) ? "unsendable" : undefined;
  }
  if (bufferType(value) !== undefined) return "buffer";
  if (value instanceof AbortSignal) return "signal";
  if (value instanceof ReadableStream) return "readable";
  if (value instanceof WritableStream) return "writable";
  if (
    value instanceof SharedArrayBuffer || ArrayBuffer.isView(value) ||
    value instanceof WeakMap || value instanceof WeakSet ||
    value instanceof WeakRef || value instanceof Promise ||
    typeof (value as { then?: unknown }).then === "function"
  ) return "unsendable";
  return "object";
}

/** Whether an array has holes, which JSON cannot represent. */
function isSparse(array: unknown[]): boolean {
  for (let index = 0; index < array.length; index++) {
    if (!(index in array)) return true;
  }
  return false;
}

/**
 * Whether a value can be sent.
 *
 * @param value The value.
 * @param seen The values that have been checked or are being checked.
 * @param depth How many levels are checked.
 */
export function isSendable(
  value: unknown,
  seen: Set<unknown> = new Set(),
  depth = Infinity,
): boolean {
  const kind = valueKind(value);
  if (kind === "unsendable") return false;
  if (typeof value !== "object" || value === null) return true;
  if (kind !== undefined && !isPlainObject(value)) return true;
  if (
    kind === undefined && isPlainObject(value) &&
    Object.hasOwn(value, "__proto__")
  ) return false;
  if (depth <= 1 || seen.has(value)) return true;
  seen.add(value);
  const inside = value instanceof Map
    ? [...value].flat()
    : value instanceof Set
    ? [...value]
    : Object.values(value);
  return inside.every((item) => isSendable(item, seen, depth - 1));
}

/**
 * Returns what the reason of an abort or a cancellation is sent as: the reason
 * itself, or its text if it cannot be sent. The peer must be told in any case.
 *
 * @param reason Any value.
 */
export function serializableReason(reason: unknown): unknown {
  try {
    return isSendable(reason) ? reason : String(reason);
  } catch {
    // A getter or `toString()` throws, or the value is nested too deep.
    return `a reason that cannot be sent (${typeof reason})`;
  }
}
