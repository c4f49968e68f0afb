// Quoting for POSIX shells. Every value that becomes part of a command line
// passes through here.

/**
 * Quotes a string as one word of a POSIX shell.
 *
 * @param value The string.
 * @returns The word; a shell reads exactly `value` from it.
 * @throws {TypeError} When it contains a NUL, which no command line can.
 *
 * @example
 * ```ts ignore
 * import { shellQuote } from "./shell_quote.ts";
 *
 * const command = `cat -- ${shellQuote("it's.txt")}`;
 * ```
 */
export function shellQuote(value: string): string {
  if (value.includes("\0")) {
    throw new TypeError(
      `a command line cannot contain a NUL character: ${JSON.stringify(value)}`,
    );
  }
  return /^[\w./:=@%+,-]+$/.test(value)
    ? value
    : `'${value.replaceAll("'", `'\\''`)}'`;
}
