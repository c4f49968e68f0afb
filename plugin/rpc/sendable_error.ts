// The substitute for an error that cannot be sent as it is: its name, message and
// stack, without whatever made it unsendable.

/** The longest name, message or stack of a substitute, in characters. */
const MAX_TEXT_LENGTH = 64 * 1024;

/**
 * Returns an error that can be sent.
 *
 * @param thrown The error that cannot be sent.
 * @param reason The error that tells why it cannot, as the cause.
 */
export function sendableError(thrown: unknown, reason?: unknown): Error {
  const cause = reason === undefined ? undefined : sendableError(reason);
  if (cause !== undefined && !(thrown instanceof Error)) return cause;
  const error = new Error(
    textOf(thrown, "message") ?? cause?.message ??
      "the error cannot be sent to another process",
    cause && { cause },
  );
  error.name = textOf(thrown, "name") ?? "Error";
  error.stack = textOf(thrown, "stack") ?? error.stack;
  return error;
}

/** Returns a property of an error if it is a string, shortened to the longest that is sent. */
function textOf(value: unknown, key: string): string | undefined {
  try {
    const text: unknown = (value as Record<string, unknown>)[key];
    if (typeof text !== "string") return undefined;
    return text.length <= MAX_TEXT_LENGTH
      ? text
      : `${text.slice(0, MAX_TEXT_LENGTH)} ...`;
  } catch {
    // A getter throws, or the value is null or undefined.
    return undefined;
  }
}
