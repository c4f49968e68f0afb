// Text as Go's %q, %x and %U write it.

const named: Record<string, string> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
};

/**
 * A Go literal for the text.
 *
 * @param quote what stands around it
 * @param ascii whether every character above 0x7e is escaped
 */
export function quoted(text: string, quote: '"' | "'", ascii = false): string {
  let result = "";
  for (const character of text) {
    if (character === quote) result += `\\${quote}`;
    else result += named[character] ?? escaped(character, ascii);
  }
  return quote + result + quote;
}

function escaped(character: string, ascii: boolean): string {
  const code = character.codePointAt(0)!;
  const printable = code === 0x20 ||
    /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(character);
  if (printable && (!ascii || code < 0x7f)) return character;
  if (code < 0x80) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

/** `U+00E9`, and with the flag # the character as well. */
export function unicodeName(code: number, shown: boolean): string {
  const name = `U+${hex(code, 4).toUpperCase()}`;
  return shown ? `${name} '${characterOf(code)}'` : name;
}

/** The character of a code point; U+FFFD where there is none. */
export function characterOf(code: number): string {
  return code >= 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
}

/** Two hexadecimal digits a byte, a blank between bytes if asked for. */
export function hexBytes(bytes: Uint8Array, spaced: boolean): string {
  return Array.from(bytes, (byte) => hex(byte, 2)).join(spaced ? " " : "");
}

function hex(value: number, width: number): string {
  return value.toString(16).padStart(width, "0");
}
