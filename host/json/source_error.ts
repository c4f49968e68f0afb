// A source error points at the places in a file where something is wrong:
// file, line and column, the line itself, and a caret below it.

import { textWidth } from "../text/display_width.ts";

/** A place in a file. */
export interface SourceLocation {
  /** From 1. */
  line: number;
  /** From 1, in characters. */
  column: number;
  /** The whole line, without its end. */
  lineText: string;
}

/** One thing that is wrong in a file. */
export interface SourceProblem {
  /** What is wrong, and what to do. */
  message: string;
  /** Where; absent when it is no place but the whole. */
  location?: SourceLocation;
}

/** What knows where its values stand. */
export interface Located {
  /** The file as the user named it. */
  readonly source: string;
  /** Where the value under these keys and indexes stands. */
  locate(
    path: readonly (string | number)[],
    where?: "key" | "value",
  ): SourceLocation;
}

const MOST_SHOWN = 20;
const WIDTH = 100;

/**
 * A file that is refused, with every problem that was found in it.
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
  /** The error's class, which stays when it crosses to another process. */
  override readonly name = "SourceError";
  /** Everything that is wrong, in the order of the file. */
  readonly problems: readonly SourceProblem[];
  /** The file as the user named it. */
  readonly source: string;

  /**
   * The error of several problems.
   *
   * @param problems What is wrong; at least one.
   * @param source The file as the user named it.
   * @param options What caused it.
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
    const shown = sorted.slice(0, MOST_SHOWN).map((one) => show(one, source));
    const more = sorted.length - shown.length;
    if (more > 0) shown.push(`and ${more} more`);
    super(shown.join("\n"), options);
    this.problems = sorted;
    this.source = source;
  }

  /**
   * The error of one problem.
   *
   * @param document The file.
   * @param path The keys and indexes that lead to what is wrong.
   * @param message What is wrong, and what to do.
   * @param where Whether the caret stands below the key or the value.
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
  // The place belongs to the first line; more may be what somebody else wrote.
  const [first, ...more] = message.split("\n");
  return [`${source}:${line}:${column}: ${first}`, excerpt(location), ...more]
    .join("\n");
}

/** The line, or of a long one the part around the place, and a caret below it. */
function excerpt({ column, lineText }: SourceLocation): string {
  // A minified file is one line of megabytes: only what is near is looked at.
  let place = 0;
  for (let left = column - 1; left > 0 && place < lineText.length; left--) {
    place += lineText.codePointAt(place)! > 0xffff ? 2 : 1;
  }
  const start = characterBoundary(lineText, Math.max(0, place - WIDTH * 2));
  const end = characterBoundary(lineText, place + WIDTH * 2);
  const all = [...lineText.slice(start, place)];
  const at = all.length;
  all.push(...lineText.slice(place, end));
  const isWhole = start === 0 && end === lineText.length && all.length <= WIDTH;
  const from = isWhole ? 0 : Math.max(
    0,
    start === 0 && end === lineText.length
      ? Math.min(at - WIDTH / 2, all.length - WIDTH)
      : at - WIDTH / 2,
  );
  const to = from + WIDTH;
  const before = all.slice(from, at).map(visible);
  const rest = all.slice(at, to).map(visible);
  const head = start > 0 || from > 0 ? "..." : "";
  const tail = end < lineText.length || to < all.length ? "..." : "";
  const text = `    ${head}${before.join("")}${rest.join("")}${tail}`;
  const caret = `    ${" ".repeat(head.length)}${before.map(blank).join("")}^`;
  return `${text.trimEnd()}\n${caret}`;
}

/** The offset, or the one before it where it is inside of a surrogate pair. */
function characterBoundary(text: string, offset: number): number {
  const at = Math.min(offset, text.length);
  return at > 0 && (text.charCodeAt(at) & 0xfc00) === 0xdc00 ? at - 1 : at;
}

/** A character as it can be shown: one that steers a terminal could hide the place. */
function visible(character: string): string {
  // deno-lint-ignore no-control-regex
  return /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/.test(character)
    ? "\ufffd"
    : character;
}

/** Blanks as wide as a character is on a terminal. */
function blank(character: string): string {
  return character === "\t" ? "\t" : " ".repeat(textWidth(character));
}
