// Errors about values that cannot be sent: they name the value, and its path in the
// arguments or the result of the call.

import type { WireMessage } from "./message.ts";
import { isPlainObject, isSendable, valueKind } from "./value_kind.ts";

/** Returns the name of a value's type, for an error. */
export function nameOfValue(value: unknown): string {
  switch (typeof value) {
    case "symbol":
      return `${String(value)}`;
    case "object":
      return value instanceof Date
        ? "an invalid Date"
        : `a ${value?.constructor?.name ?? "value without a class"}`;
    default:
      return `a ${typeof value}`;
  }
}

/**
 * Adds the path of the value that could not be sent to an error.
 *
 * @param error The error.
 * @param message The message that could not be encoded.
 */
export function withValuePath(error: unknown, message: WireMessage): unknown {
  if (!(error instanceof Error)) return error;
  const { call, args, value } = message as {
    call?: number;
    args?: unknown;
    value?: unknown;
  };
  const path = pathOfUnsendable(args ?? value, "", new Set());
  if (path === undefined) return error;
  const root = call === undefined ? "the returned value" : "the arguments";
  return new TypeError(
    `${error.message} (at ${path === "" ? root : `${path} of ${root}`})`,
    { cause: error },
  );
}

function pathOfUnsendable(
  value: unknown,
  path: string,
  seen: Set<unknown>,
): string | undefined {
  if (!isSendable(value, new Set(), 1)) return path;
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  if (valueKind(value) !== undefined && !isPlainObject(value)) return;
  const entries: Iterable<[unknown, unknown]> = value instanceof Map
    ? value
    : value instanceof Set
    ? [...value].entries()
    : Object.entries(value);
  for (const [key, item] of entries) {
    const found = pathOfUnsendable(
      item,
      Array.isArray(value) ? `${path}[${key}]` : `${path}.${String(key)}`,
      seen,
    );
    if (found !== undefined) return found;
  }
}
