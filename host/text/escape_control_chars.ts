// Escapes the control characters of untrusted text.

/**
 * Replaces control characters by visible ones, so that a terminal does not
 * interpret them.
 *
 * @param text The text; its line ends and tabs are kept.
 */
export function escapeControlChars(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex
    /[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]/g,
    (character) => {
      const code = character.charCodeAt(0);
      return code < 0x20
        ? String.fromCharCode(0x2400 + code)
        : code === 0x7f
        ? "\u2421"
        : `\\x${code.toString(16)}`;
    },
  );
}
