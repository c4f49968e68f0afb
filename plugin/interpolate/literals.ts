// Parses Go's literals: the values of numbers, characters and strings in a
// template.

import { Float } from "./values.ts";

const MAX_INT64 = 2n ** 63n - 1n;

/** The error of an invalid literal. */
export class LiteralError extends Error {}

/**
 * The value of a number: `42`, `0x2a`, `0b11`, `017`, `1_000`, `1.5`, `1e3`.
 *
 * @throws LiteralError when it is not a number, or does not fit into 64 bits
 */
export function parseNumber(text: string): number | bigint | Float {
  const [, sign, digits] = /^([+-]?)(.*)$/s.exec(text)!;
  const plain = digits!.replaceAll("_", "");
  if (/^[\d.eE+-]+i$/.test(plain)) {
    throw new LiteralError(`complex number ${text}: templates have none here`);
  }
  if (hasLooseUnderscore(digits!)) throw badNumber(text);
  if (/^(0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[1-9]\d*|0)$/.test(plain)) {
    return integer(text, sign!, plain);
  }
  const broken = /[.eE]/.test(plain) &&
    /^(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(plain);
  const value = Number(plain) * (sign === "-" ? -1 : 1);
  if (!broken || !Number.isFinite(value)) throw badNumber(text);
  return new Float(value);
}

// An underscore is allowed between digits, and after 0x, 0b or 0o.
function hasLooseUnderscore(digits: string): boolean {
  const body = digits.replace(/^0[xXbBoO]_?/, "0");
  return /^0[xX]/.test(digits)
    ? /(?<![\da-fA-F])_|_(?![\da-fA-F])/.test(body)
    : /(?<!\d)_|_(?!\d)/.test(body);
}

function integer(text: string, sign: string, plain: string): number | bigint {
  const octal = /^0[0-7]+$/.test(plain);
  const magnitude = BigInt(octal ? `0o${plain.slice(1)}` : plain);
  const value = sign === "-" ? -magnitude : magnitude;
  if (value > MAX_INT64 || value < -MAX_INT64 - 1n) {
    throw new LiteralError(
      `integer overflow: "${text}" does not fit into 64 bits`,
    );
  }
  const small = Number(value);
  return Number.isSafeInteger(small) ? small + 0 : value;
}

function badNumber(text: string): LiteralError {
  return new LiteralError(`bad number syntax: "${text}"`);
}

/**
 * The code point of a character such as `'a'` or `'\n'`.
 *
 * @throws LiteralError when there is not exactly one
 */
export function parseCharacter(text: string): number {
  const inner = unescape(text.slice(1, -1), "'");
  const code = inner?.codePointAt(0);
  if (code === undefined || String.fromCodePoint(code) !== inner) {
    throw new LiteralError(`malformed character constant: ${text}`);
  }
  return code;
}

/**
 * The value of a string in double quotes or backquotes.
 *
 * @throws LiteralError for an escape that Go does not have
 */
export function parseString(text: string): string {
  const inner = text.slice(1, -1);
  if (text.startsWith("`")) return inner.replaceAll("\r", "");
  const value = unescape(inner, '"');
  if (value !== undefined) return value;
  throw new LiteralError(
    `invalid syntax: ${text} holds an escape that Go does not have; write \\\\ for a backslash, or use \`...\``,
  );
}

const ESCAPES: Record<string, string> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
};

// \x and octal escapes are bytes: several in a row may spell one character.
const BYTE_RUN = /(?:\\x[\da-fA-F]{2}|\\[0-3][0-7]{2})+/y;
const CODE_POINT_ESCAPE = /\\(?:u([\da-fA-F]{4})|U([\da-fA-F]{8}))/y;

function unescape(text: string, quote: string): string | undefined {
  let result = "";
  for (let at = 0; at < text.length;) {
    const next = text.indexOf("\\", at);
    if (next === -1) return result + text.slice(at);
    result += text.slice(at, next);
    const letter = text[next + 1] ?? "";
    BYTE_RUN.lastIndex = CODE_POINT_ESCAPE.lastIndex = next;
    const bytes = BYTE_RUN.exec(text)?.[0];
    const point = CODE_POINT_ESCAPE.exec(text);
    if (bytes) {
      result += decodeBytes(bytes);
      at = next + bytes.length;
    } else if (point) {
      const code = parseInt((point[1] ?? point[2])!, 16);
      if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
        return undefined;
      }
      result += String.fromCodePoint(code);
      at = next + point[0].length;
    } else if (letter === quote || Object.hasOwn(ESCAPES, letter)) {
      result += letter === quote ? quote : ESCAPES[letter];
      at = next + 2;
    } else {
      return undefined;
    }
  }
  return result;
}

function decodeBytes(run: string): string {
  const bytes = run.match(/\\x..|\\.../g)!.map((escape) =>
    escape[1] === "x"
      ? parseInt(escape.slice(2), 16)
      : parseInt(escape.slice(1), 8)
  );
  return new TextDecoder().decode(new Uint8Array(bytes));
}
