// The kinds of value that superjson has no notion of, or that baler sends in
// its own way.

import { bufferType } from "./typed_arrays.ts";

/** How a value is sent that superjson does not send. */
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

/** Whether an object is one that was written down, and no instance of a class. */
export function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * The kind of a value, or undefined where it is superjson's.
 *
 * An instance of a class goes by reference, even one without methods: what is
 * in its private fields would otherwise be lost without a word. So does a
 * plain object with methods, so that `this` is in them what it was.
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
        // It would be taken for a promise on the other side.
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

/** Whether an array has holes, for which JSON has no word. */
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
 * @param seen The values that are being looked at already.
 * @param depth How many levels to look into.
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
 * What a reason is sent as: the reason itself, or where it cannot be sent, its
 * text. What is given up must be given up there too, whatever the reason.
 *
 * @param reason Any value.
 */
export function serializableReason(reason: unknown): unknown {
  try {
    return isSendable(reason) ? reason : String(reason);
  } catch {
    // A getter of it throws, it has no text, or it is too deep to look into.
    return `a reason that cannot be told (${typeof reason})`;
  }
}
