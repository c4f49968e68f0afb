// Errors cross with their class name, message, cause, stack and whatever else
// they carry, like a code.

import { isSendable } from "./value_kind.ts";
import { ProtocolError } from "./protocol.ts";
import { isRemotableName } from "./references/remote_object.ts";

/** The standard classes; any other arrives as an Error with its name. */
const CLASSES: Record<string, new (message?: string) => Error> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** Keys that are carried in their own way, or that must not be set from outside. */
const OWN_WAY = new Set(["name", "message", "stack", "cause", "class"]);

/** The properties of a SuppressedError. */
const SUPPRESSED_KEYS: readonly string[] = ["error", "suppressed"];

/** Whether an error's property is carried as it is. */
function isCarried(key: string): boolean {
  return !OWN_WAY.has(key) && isRemotableName(key);
}

/**
 * What an error is sent as.
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
    if (!isCarried(key) || !isSendable(value)) continue;
    record[key] = value;
  }
  return record;
}

/**
 * The error that was sent.
 *
 * @param record What it was sent as.
 * @throws {ProtocolError} When it has no name or message.
 */
export function errorFromRecord(record: Record<string, unknown>): Error {
  const { name, message, stack } = record;
  if (typeof name !== "string" || typeof message !== "string") {
    throw new ProtocolError("an error has no name or no message");
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
    if (!isCarried(key) || key === "errors") continue;
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
