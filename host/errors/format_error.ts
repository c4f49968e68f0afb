// An error as the user at the terminal sees it: its message, and for an
// error in a program the hint at the log, which has the stack trace.

import {
  errorMessage,
  indentContinuation,
  someError,
} from "./error_message.ts";

/** Names of errors that mean that a program is wrong, not what it was given. */
const PROGRAMMING_ERRORS = new Set([
  "AssertionError",
  "EvalError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "TypeError",
]);

/**
 * An error as text for a user.
 *
 * @param error What was thrown.
 */
export function formatError(error: unknown): string {
  if (!someError(error, isProgrammingError)) return errorMessage(error);
  const name = error instanceof Error && isProgrammingError(error)
    ? `${error.name}: `
    : "";
  return `${name}${errorMessage(error)}\n` +
    "This is a bug in baler or in a plugin; set BALER_LOG=1 for the stack trace.";
}

/**
 * An error of a build as text for a user. Lines that a plugin put into it are
 * indented, so that none looks like a line of the host's own.
 *
 * @param error What was thrown.
 */
export function buildErrorMessage(error: unknown): string {
  return indentContinuation(formatError(error));
}

function isProgrammingError(error: Error): boolean {
  return PROGRAMMING_ERRORS.has(error.name);
}
