// The width of a text on a terminal, in columns: most characters take one, East
// Asian characters and emoji two, combining marks none.

const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]|^\p{Emoji_Presentation}/u;
const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]/u;

/**
 * Returns the width of a text, in columns.
 *
 * @param text One line of text, without control characters.
 */
export function textWidth(text: string): number {
  // deno-lint-ignore no-control-regex
  if (/^[\x00-\x7f]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOf(character);
  return width;
}

/**
 * Truncates a text to a width, and marks the end with `...` if it was cut.
 *
 * @param text One line of text, without control characters.
 * @param columns The width, in columns.
 */
export function truncateToWidth(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  const end = "...".slice(0, Math.max(0, columns));
  let width = end.length;
  let cut = "";
  for (const character of text) {
    width += widthOf(character);
    if (width > columns) break;
    cut += character;
  }
  return cut + end;
}

function widthOf(character: string): number {
  if (NO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
