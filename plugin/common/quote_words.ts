// Lists of words in messages.

/**
 * Formats words for a message.
 *
 * @param words The words.
 * @returns For example `"red", "green"`.
 */
export function quoteWords(words: readonly string[]): string {
  return words.map((word) => JSON.stringify(word)).join(", ");
}
