// Strings as Go's %q, %x and %U write them.

import { mapPieces, StringBuilder } from "./strings.ts";

const ESCAPES: Record<string, string> = {
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
 * @param quote the quotation mark
 * @param ascii whether every character above 0x7e is escaped
 */
export function quoted(text: string, quote: '"' | "'", ascii = false): string {
  const piece = (part: string) =>
    part.replace(
      NOT_PLAIN,
      (character) =>
        character === quote
          ? `\\${quote}`
          : ESCAPES[character] ?? escaped(character, ascii),
    );
  return quote + mapPieces(text, piece) + quote;
}

/** The characters that may have to be escaped: quotes, backslashes, and all except printable ASCII. */
const NOT_PLAIN = /["'\\]|[^ -~]/gu;

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

/**
 * Two hexadecimal digits for each byte.
 *
 * @param spaced whether a space separates the bytes
 * @param prefixed whether to add `0x`: before each byte if
 * they are separated, else before the first
 */
export function hexBytes(
  bytes: Uint8Array,
  spaced: boolean,
  prefixed: boolean,
): string {
  const prefix = prefixed ? "0x" : "";
  const result = new StringBuilder();
  for (const [index, byte] of bytes.entries()) {
    const separator = index === 0 ? prefix : spaced ? ` ${prefix}` : "";
    result.append(separator + hex(byte, 2));
  }
  return result.toString();
}

function hex(value: number, width: number): string {
  return value.toString(16).padStart(width, "0");
}
