// A JSON document: the value of a file and the position of each part of it, so
// that an error message can point at the part.

import { scanJson, type ValueRange } from "./json_scanner.ts";
import { SourceError, type SourceLocation } from "./source_error.ts";

export {
  SourceError,
  type SourceLocation,
  type SourceProblem,
} from "./source_error.ts";

/** How a document is read. */
export interface JsonDocumentOptions {
  /** Whether a duplicate key is allowed; the last one wins. */
  allowDuplicates?: boolean;
  /** The result of `JSON.parse`, if the text has already been parsed. */
  value?: unknown;
}

/** The path of a value: the keys and indexes from the root. */
export type JsonPath = readonly (string | number)[];

/**
 * Reads a JSON document.
 *
 * @param text The content of the file; a byte order mark is skipped.
 * @param source The file as the user named it.
 * @param options How it is read.
 * @throws {SourceError} When it is not JSON, with the position and what to do;
 * for a duplicate key, as in Packer; for a key `__proto__`.
 *
 * @example
 * ```ts
 * import { parseJsonDocument } from "./json_document.ts";
 *
 * const document = parseJsonDocument('{\n  "port": 0\n}', "template.json");
 * console.log(document.locate(["port"])); // { line: 2, column: 11, lineText: '  "port": 0' }
 * ```
 */
export function parseJsonDocument(
  text: string,
  source: string,
  options: JsonDocumentOptions = {},
): JsonDocument {
  const body = text.startsWith("\ufeff") ? text.slice(1) : text;
  const { root, mistake, duplicates, forbidden } = scanJson(body);
  const refused = mistake !== undefined
    ? [mistake]
    : options.allowDuplicates
    ? forbidden
    : [...forbidden, ...duplicates];
  if (root === undefined || refused.length > 0) {
    const lines = new Lines(body);
    throw new SourceError(
      refused.map(({ offset, message }) => ({
        message,
        location: lines.location(offset),
      })),
      source,
    );
  }
  return new JsonDocument(body, source, root, options.value);
}

/** A JSON document, which {@linkcode parseJsonDocument} returns. */
export class JsonDocument {
  /** The file as the user named it. */
  readonly source: string;
  /** Its value. */
  readonly value: unknown;
  readonly #lines: Lines;
  readonly #root: ValueRange;

  /**
   * @param text Its content, which is valid JSON.
   * @param source The file as the user named it.
   * @param root The positions of its values.
   * @param value The result of `JSON.parse`, if the text has already been parsed.
   */
  constructor(
    text: string,
    source: string,
    root: ValueRange,
    value: unknown = JSON.parse(text),
  ) {
    this.value = value;
    this.source = source;
    this.#lines = new Lines(text);
    this.#root = root;
  }

  /**
   * Returns the position of a value, or of its key.
   *
   * @param path The path of the value. If it does not exist, the position is that
   * of the innermost value on the path that does.
   * @param where Whether to locate the value, or its key if it has one.
   * @param within An offset in the value, if it is a string: in UTF-16 units of
   * the decoded string.
   */
  locate(
    path: JsonPath,
    where: "key" | "value" = "value",
    within?: number,
  ): SourceLocation {
    let place = this.#root;
    for (const step of path) {
      const inner = place.inner instanceof Map
        ? place.inner.get(String(step))
        : place.inner?.[Number(step)];
      if (inner === undefined) return this.#lines.location(place.start);
      place = inner;
    }
    if (where === "key") return this.#lines.location(place.key ?? place.start);
    return this.#lines.location(
      within === undefined
        ? place.start
        : this.#lines.within(place.start, within),
    );
  }
}

/** The lines of a text. */
class Lines {
  readonly #text: string;
  /** The offset of each line; computed on demand. */
  #starts: number[] | undefined;
  /** The offsets of the surrogate pairs of each line, by the line's offset. */
  readonly #pairs = new Map<number, number[]>();

  constructor(text: string) {
    this.#text = text;
  }

  location(offset: number): SourceLocation {
    const starts = this.#starts ??= lineStarts(this.#text);
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    const start = starts[low]!;
    let end = (starts[low + 1] ?? this.#text.length + 1) - 1;
    if (this.#text[end - 1] === "\r") end--;
    return {
      line: low + 1,
      column: offset - start + 1 - this.#pairsBetween(start, end, offset),
      lineText: this.#text.slice(start, end),
    };
  }

  /**
   * Counts the surrogate pairs of a line before an offset. They are searched once
   * per line: a minified file has all its problems in one line.
   */
  #pairsBetween(start: number, end: number, offset: number): number {
    let pairs = this.#pairs.get(start);
    if (pairs === undefined) {
      pairs = [];
      const line = this.#text.slice(start, end);
      for (
        const { index } of line.matchAll(/[\ud800-\udbff][\udc00-\udfff]/g)
      ) {
        pairs.push(start + index);
      }
      this.#pairs.set(start, pairs);
    }
    let low = 0;
    let top = pairs.length;
    while (low < top) {
      const middle = (low + top) >> 1;
      if (pairs[middle]! < offset) low = middle + 1;
      else top = middle;
    }
    return low;
  }

  /** Returns the offset of a unit of the decoded string whose literal begins at `start`. */
  within(start: number, units: number): number {
    const unit = /\\u[0-9a-fA-F]{4}|\\.|[^"]/sy;
    unit.lastIndex = start + 1;
    for (let read = 0; read < units && unit.test(this.#text); read++);
    return unit.lastIndex || start;
  }
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (
    let at = text.indexOf("\n");
    at >= 0;
    at = text.indexOf("\n", at + 1)
  ) {
    starts.push(at + 1);
  }
  return starts;
}
