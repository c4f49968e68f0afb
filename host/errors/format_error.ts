// Formats an error for the terminal: its message and, for a programming error,
// a hint to the log, which has the stack trace.

import {
  errorMessage,
  indentContinuation,
  someError,
} from "./error_message.ts";

/** The names of errors that mean a bug in a program, not bad input. */
const PROGRAMMING_ERRORS = new Set([
  "AssertionError",
  "EvalError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "TypeError",
]);

/**
 * Formats an error for the user.
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
 * Formats the error of a build for the user. Lines that come from a plugin are
 * indented, so that none looks like a line of the host.
 *
 * @param error What was thrown.
 */
export function buildErrorMessage(error: unknown): string {
  return indentContinuation(formatError(error));
}

function isProgrammingError(error: Error): boolean {
  return PROGRAMMING_ERRORS.has(error.name);
}
