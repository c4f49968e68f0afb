// The beginning of a text that a plugin sent, for places that show all of it.

/** How much of a text is shown and logged, in characters and in lines. */
const MAX_TEXT_LENGTH = 1024 * 1024;
const MAX_TEXT_LINES = 10_000;

/**
 * Shortens a text that is very long. Its end is `...`, so that a secret is found
 * of which only a part is left.
 *
 * @param text The text.
 */
export function limitedText(text: string): string {
  let end = Math.min(text.length, MAX_TEXT_LENGTH);
  for (let lines = 1, at = -1; lines <= MAX_TEXT_LINES; lines++) {
    at = text.indexOf("\n", at + 1);
    if (at === -1 || at >= end) break;
    if (lines === MAX_TEXT_LINES) end = at;
  }
  return end === text.length
    ? text
    : `${text.slice(0, end)}... (${text.length - end} more characters)`;
}
