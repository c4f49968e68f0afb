// Errors are sent with their class name, message, stack, cause, and all other own
// properties, such as a code.

import { isSendable } from "./value_kind.ts";
import { ProtocolError } from "./protocol.ts";
import { isRemotableName } from "./references/object_members.ts";

/** The standard classes. An error of any other class becomes an Error with the name of its class. */
const CLASSES: Record<string, new (message?: string) => Error> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** Keys that are sent in another way, or that a peer must not set. */
const SPECIAL_KEYS = new Set(["name", "message", "stack", "cause", "class"]);

/** The properties of a SuppressedError. */
const SUPPRESSED_KEYS: readonly string[] = ["error", "suppressed"];

/** Whether a property of an error is sent as it is. */
function isSentProperty(key: string): boolean {
  return !SPECIAL_KEYS.has(key) && isRemotableName(key);
}

/**
 * Returns the record that is sent for an error.
 *
 * @param error The error.
 */
export function errorToRecord(error: Error): Record<string, unknown> {
  const record: Record<string, unknown> = {
    name: String(error.name),
    message: String(error.message),
  };
  if (typeof error.stack === "string") record.stack = error.stack;
  if (error instanceof DOMException) {
    record.class = "DOMException";
    return record;
  }
  if ("cause" in error) {
    record.cause = isSendable(error.cause) ? error.cause : String(error.cause);
  }
  if (error instanceof AggregateError) {
    record.errors = error.errors.map((one) =>
      isSendable(one) ? one : String(one)
    );
  }
  // The two errors of a SuppressedError are not enumerable.
  for (const key of SUPPRESSED_KEYS) {
    if (!Object.hasOwn(error, key)) continue;
    const value = (error as unknown as Record<string, unknown>)[key];
    record[key] = isSendable(value) ? value : String(value);
  }
  for (const [key, value] of Object.entries(error)) {
    if (!isSentProperty(key) || !isSendable(value)) continue;
    record[key] = value;
  }
  return record;
}

/**
 * Makes the error that was sent.
 *
 * @param record The record that was sent for it.
 * @throws {ProtocolError} When its name or message is not a string.
 */
export function errorFromRecord(record: Record<string, unknown>): Error {
  const { name, message, stack } = record;
  if (typeof name !== "string" || typeof message !== "string") {
    throw new ProtocolError(
      "invalid error: `name` and `message` must be strings",
    );
  }
  if (record.class === "DOMException") {
    const error = new DOMException(message, name);
    if (typeof stack === "string") define(error, "stack", stack);
    return error;
  }
  const error = Array.isArray(record.errors)
    ? new AggregateError(record.errors, message)
    : new (Object.hasOwn(CLASSES, name) ? CLASSES[name]! : Error)(message);
  if (error.name !== name) define(error, "name", name);
  define(
    error,
    "stack",
    typeof stack === "string" ? stack : `${name}: ${message}`,
  );
  if (Object.hasOwn(record, "cause")) define(error, "cause", record.cause);
  for (const [key, value] of Object.entries(record)) {
    if (!isSentProperty(key) || key === "errors") continue;
    Object.defineProperty(error, key, {
      value,
      writable: true,
      enumerable:
        !(name === "SuppressedError" && SUPPRESSED_KEYS.includes(key)),
      configurable: true,
    });
  }
  return error;
}

function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, {
    value,
    writable: true,
    enumerable: false,
    configurable: true,
  });
}
