// A JSON document is a file's value together with where each part of it
// stands, so that whatever is wrong with a part can be shown in the file.

import { scanJson, type ValueRange } from "./json_scanner.ts";
import { SourceError, type SourceLocation } from "./source_error.ts";

export {
  SourceError,
  type SourceLocation,
  type SourceProblem,
} from "./source_error.ts";

/** How a document is read. */
export interface JsonDocumentOptions {
  /** Takes the last where an object has a key twice, in place of refusing it. */
  allowDuplicates?: boolean;
  /** What `JSON.parse` made of the text, where that was called before. */
  value?: unknown;
}

/** Keys and indexes that lead to a value. */
export type JsonPath = readonly (string | number)[];

/**
 * Reads a JSON document.
 *
 * @param text The file's text; a byte order mark before it is taken.
 * @param source The file as the user named it.
 * @param options How it is read.
 * @throws {SourceError} When it is no JSON, with the place and what to do; when
 * an object has a key twice, as Packer refuses it; at a key `__proto__`.
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

/** A JSON document, as {@linkcode parseJsonDocument} gives it. */
export class JsonDocument {
  /** The file as the user named it. */
  readonly source: string;
  /** What is in it. */
  readonly value: unknown;
  readonly #lines: Lines;
  readonly #root: ValueRange;

  /**
   * A document of a text that was found to be JSON.
   *
   * @param text Its text.
   * @param source The file as the user named it.
   * @param root Where everything stands in it.
   * @param value What `JSON.parse` made of the text, where that was called before.
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
   * Where a value, or its key, stands.
   *
   * @param path The keys and indexes that lead to it. Where they lead to
   * nothing, the place is that of the last which is there.
   * @param where Whether to tell the place of the value, or of its key where it has one.
   * @param within How far into the value, where it is a text: in UTF-16 units
   * of the text that it stands for.
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
  /** The offset of each line, found when the first place is asked for. */
  #starts: number[] | undefined;
  /** By the start of a line, the offsets of its characters of two units. */
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
   * How many characters of a line before an offset are two units long. They are
   * found once for each line: a minified file is one line with all problems.
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

  /** The offset of a unit of what the text that begins at `start` stands for. */
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
