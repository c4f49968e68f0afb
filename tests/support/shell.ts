// Words in the command lines and scripts that tests write for a POSIX shell.

/**
 * Quotes a word for a shell.
 *
 * @param word The word.
 * @returns The word in single quotes, which a shell reads back unchanged.
 */
export function shellQuote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
