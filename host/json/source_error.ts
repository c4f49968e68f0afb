// An error that points at the problems in a file: file, line and column, the line
// itself, and a caret below it.

import { textWidth } from "../text/display_width.ts";

/** A position in a file. */
export interface SourceLocation {
  /** From 1. */
  line: number;
  /** From 1, in characters. */
  column: number;
  /** The whole line, without its line end. */
  lineText: string;
}

/** A problem in a file. */
export interface SourceProblem {
  /** What is wrong, and what to do. */
  message: string;
  /** Its position; absent when it concerns the whole file. */
  location?: SourceLocation;
}

/** A document that can locate its values. */
export interface Located {
  /** The file as the user named it. */
  readonly source: string;
  /** Returns the position of the value at a path. */
  locate(
    path: readonly (string | number)[],
    where?: "key" | "value",
  ): SourceLocation;
}

/** How many problems the message shows. */
const MAX_SHOWN_PROBLEMS = 20;

/** How much of a line is shown, in characters. */
const EXCERPT_LENGTH = 100;

/**
 * The error of a file that is not valid, with all problems that were found in it.
 *
 * @example
 * ```ts
 * import { SourceError } from "./source_error.ts";
 *
 * const error = new SourceError([{
 *   message: "builder 1: missing 'type'",
 *   location: { line: 2, column: 5, lineText: "    {}" },
 * }], "template.json");
 * console.log(error.message);
 * // template.json:2:5: builder 1: missing 'type'
 * //         {}
 * //         ^
 * ```
 */
export class SourceError extends Error {
  /** The name of the error's class, which is kept when the error is sent to another process. */
  override readonly name = "SourceError";
  /** The problems, in the order of the file. */
  readonly problems: readonly SourceProblem[];
  /** The file as the user named it. */
  readonly source: string;

  /**
   * @param problems The problems; at least one.
   * @param source The file as the user named it.
   * @param options The cause.
   */
  constructor(
    problems: readonly SourceProblem[],
    source: string,
    options?: ErrorOptions,
  ) {
    const sorted = problems.toSorted((a, b) =>
      (a.location?.line ?? 0) - (b.location?.line ?? 0) ||
      (a.location?.column ?? 0) - (b.location?.column ?? 0)
    );
    const shown = sorted.slice(0, MAX_SHOWN_PROBLEMS)
      .map((one) => show(one, source));
    const more = sorted.length - shown.length;
    if (more > 0) shown.push(`and ${more} more`);
    super(shown.join("\n"), options);
    this.problems = sorted;
    this.source = source;
  }

  /**
   * Returns an error with one problem.
   *
   * @param document The file.
   * @param path The path of the value.
   * @param message What is wrong, and what to do.
   * @param where Whether the caret points at the key or the value.
   */
  static at(
    document: Located,
    path: readonly (string | number)[],
    message: string,
    where: "key" | "value" = "value",
  ): SourceError {
    const location = document.locate(path, where);
    return new SourceError([{ message, location }], document.source);
  }
}

function show({ message, location }: SourceProblem, source: string): string {
  if (location === undefined) return `${source}: ${message}`;
  const { line, column } = location;
  // The position belongs to the first line; the other lines may come from a plugin.
  const [first, ...more] = message.split("\n");
  return [`${source}:${line}:${column}: ${first}`, excerpt(location), ...more]
    .join("\n");
}

/** Returns the line, or the part of a long line around the position, and a caret below it. */
function excerpt({ column, lineText }: SourceLocation): string {
  // A minified file is one line of megabytes: only the part near the position is copied.
  let place = 0;
  for (let left = column - 1; left > 0 && place < lineText.length; left--) {
    place += lineText.codePointAt(place)! > 0xffff ? 2 : 1;
  }
  const start = characterBoundary(
    lineText,
    Math.max(0, place - EXCERPT_LENGTH * 2),
  );
  const end = characterBoundary(lineText, place + EXCERPT_LENGTH * 2);
  const all = [...lineText.slice(start, place)];
  const at = all.length;
  all.push(...lineText.slice(place, end));
  const isWhole = start === 0 && end === lineText.length &&
    all.length <= EXCERPT_LENGTH;
  const from = isWhole ? 0 : Math.max(
    0,
    start === 0 && end === lineText.length
      ? Math.min(at - EXCERPT_LENGTH / 2, all.length - EXCERPT_LENGTH)
      : at - EXCERPT_LENGTH / 2,
  );
  const to = from + EXCERPT_LENGTH;
  const before = all.slice(from, at).map(visible);
  const rest = all.slice(at, to).map(visible);
  const head = start > 0 || from > 0 ? "..." : "";
  const tail = end < lineText.length || to < all.length ? "..." : "";
  const text = `    ${head}${before.join("")}${rest.join("")}${tail}`;
  const caret = `    ${" ".repeat(head.length)}${before.map(blank).join("")}^`;
  return `${text.trimEnd()}\n${caret}`;
}

/** Returns the offset, or the one before it if it is inside a surrogate pair. */
function characterBoundary(text: string, offset: number): number {
  const at = Math.min(offset, text.length);
  return at > 0 && (text.charCodeAt(at) & 0xfc00) === 0xdc00 ? at - 1 : at;
}

/** Replaces a control character, which would move the cursor of a terminal. */
function visible(character: string): string {
  // deno-lint-ignore no-control-regex
  return /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/.test(character)
    ? "\ufffd"
    : character;
}

/** Returns spaces as wide as a character is on a terminal. */
function blank(character: string): string {
  return character === "\t" ? "\t" : " ".repeat(textWidth(character));
}
