// What an error says to the person at the terminal: the message alone, as
// long as the error was meant for them.

import { errorMessage } from "./error_message.ts";

/** Names of errors that say that a program is wrong, not what it was given. */
const PROGRAMMING_ERRORS = new Set([
  "AssertionError",
  "EvalError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "TypeError",
]);

/**
 * An error, fit to be shown.
 *
 * @param error What was thrown.
 */
export function formatError(error: unknown): string {
  if (!(error instanceof Error) || !PROGRAMMING_ERRORS.has(error.name)) {
    return errorMessage(error);
  }
  return `${error.name}: ${errorMessage(error)}\n` +
    "This is a fault in baler or in a plugin; BALER_LOG=1 shows where.";
}
