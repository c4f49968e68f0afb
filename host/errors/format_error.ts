// An error as the end of a command shows it.

import {
  errorMessage,
  FAULT_HINT,
  isProgrammingError,
} from "./error_message.ts";

/**
 * Returns the text of an error for the person at the terminal.
 *
 * @param error What was thrown.
 */
export function formatError(error: unknown): string {
  return isProgrammingError(error)
    ? `${error.name}: ${errorMessage(error)}\n${FAULT_HINT}`
    : errorMessage(error);
}
