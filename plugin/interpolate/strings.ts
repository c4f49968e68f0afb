// Long strings, read and built without an array of their characters. V8 ends
// the process when an array becomes too long, instead of throwing an error.

import { FunctionError } from "./error.ts";
import { MAX_TEXT_LENGTH } from "./limits.ts";

/** How many UTF-16 units are processed at once. */
const PIECE_LENGTH = 64 * 1024;

/** How many short strings are joined at once. */
const MAX_PENDING = 4096;

/** Builds a string, and throws before it becomes too long. */
export class StringBuilder {
  #text = "";
  #pending: string[] = [];
  #length = 0;

  /**
   * Appends a string.
   *
   * @throws FunctionError when the result is longer than {@linkcode MAX_TEXT_LENGTH}
   */
  append(text: string): void {
    this.#length += text.length;
    if (this.#length > MAX_TEXT_LENGTH) throw tooLong();
    this.#pending.push(text);
    if (this.#pending.length === MAX_PENDING) this.#flush();
  }

  /** The length so far, in UTF-16 units. */
  get length(): number {
    return this.#length;
  }

  /** The string so far. */
  toString(): string {
    this.#flush();
    return this.#text;
  }

  #flush(): void {
    this.#text += this.#pending.join("");
    this.#pending = [];
  }
}

/** The error of a result that is too long. */
export function tooLong(): FunctionError {
  return new FunctionError(
    `the result is longer than ${MAX_TEXT_LENGTH} characters`,
  );
}

/** Whether a string consists of ASCII characters alone. */
export function isAscii(text: string): boolean {
  // deno-lint-ignore no-control-regex
  return !/[^\x00-\x7f]/.test(text);
}

/** How many code points a string has; a surrogate on its own is one. */
export function countCodePoints(text: string): number {
  if (isAscii(text)) return text.length;
  let count = text.length;
  for (let at = 1; at < text.length; at++) {
    if (isPair(text, at)) count--;
  }
  return count;
}

/** Whether the unit at an offset is the second half of a surrogate pair. */
function isPair(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00 &&
    (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
}

/** The first `count` code points of a string. */
export function firstCodePoints(text: string, count: number): string {
  if (text.length <= count) return text;
  let at = 0;
  for (let taken = 0; taken < count && at < text.length; taken++) {
    at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  }
  return text.slice(0, at);
}

/** The length of a string in UTF-8, in bytes. */
export function utf8Length(text: string): number {
  if (isAscii(text)) return text.length;
  let bytes = 0;
  for (const piece of pieces(text)) {
    bytes += new TextEncoder().encode(piece).length;
  }
  return bytes;
}

/** Cuts a string into pieces of bounded length, never inside a surrogate pair. */
export function* pieces(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    let end = Math.min(start + PIECE_LENGTH, text.length);
    if (end < text.length && isPair(text, end)) end--;
    yield text.slice(start, end);
    start = end;
  }
}

/**
 * Maps a string piece by piece.
 *
 * @param map maps a piece; what it returns for a character must not depend on
 * the characters around it
 */
export function mapPieces(
  text: string,
  map: (piece: string) => string,
): string {
  if (text.length <= PIECE_LENGTH) return map(text);
  const result = new StringBuilder();
  for (const piece of pieces(text)) result.append(map(piece));
  return result.toString();
}
