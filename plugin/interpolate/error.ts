// The error of a template, with the position in the text at which it
// occurred.

/**
 * A template that cannot be parsed or evaluated.
 *
 * `message` reads `line 1, column 3: what happened; what to do`. `reason` is
 * the same without the position, `offset` counts UTF-16 units from 0, `line` and
 * `column` count from 1, the column in code points.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const error = new InterpolationError("a\n{{nope}}", 4, "no such function");
 * assertEquals([error.line, error.column], [2, 3]);
 * assertEquals(error.message, "line 2, column 3: no such function");
 * ```
 */
export class InterpolationError extends Error {
  /** The class's name, as `Error.prototype.name`. */
  override readonly name = "InterpolationError";
  /** The message without the position. */
  readonly reason: string;
  /** UTF-16 units from the start of the template's text. */
  readonly offset: number;
  /** From 1. */
  readonly line: number;
  /** From 1, in code points. */
  readonly column: number;

  /**
   * Creates an error at a position of a template.
   *
   * @param source the template's whole text
   * @param span where in it: an offset, or the part that was being evaluated
   * @param reason what happened
   * @param options the cause, if another error led here
   */
  constructor(
    source: string,
    span: number | Span,
    reason: string,
    options?: ErrorOptions,
  ) {
    const offset = typeof span === "number" ? span : span.start;
    const { line, column } = placeOf(source, offset);
    const at = typeof span === "number"
      ? ""
      : `, at <${excerpt(source, span)}>`;
    super(`line ${line}, column ${column}${at}: ${reason}`, options);
    this.reason = reason;
    this.offset = offset;
    this.line = line;
    this.column = column;
  }
}

/** A part of a template's text: UTF-16 units, `end` excluded. */
export interface Span {
  /** Offset of the first unit. */
  readonly start: number;
  /** Offset after the last unit. */
  readonly end: number;
}

/** The line and column of an offset: both from 1, the column in code points. */
export function placeOf(source: string, offset: number) {
  let line = 1;
  let lineStart = 0;
  for (
    let end = source.indexOf("\n");
    end !== -1 && end < offset;
    end = source.indexOf("\n", lineStart)
  ) {
    line++;
    lineStart = end + 1;
  }
  let column = 1;
  for (let at = lineStart; at < offset; column++) {
    at += source.codePointAt(at)! > 0xffff ? 2 : 1;
  }
  return { line, column };
}

const MAX_EXCERPT_LENGTH = 60;

/** A part of a text, with `...` in place of what is too long to be shown. */
export function excerpt(
  source: string,
  { start, end }: Span,
  most = MAX_EXCERPT_LENGTH,
): string {
  return end - start > most
    ? `${source.slice(start, start + most)}...`
    : source.slice(start, end);
}

/**
 * What a template function throws when its arguments make no sense. The
 * evaluator adds the function's name and the place.
 */
export class FunctionError extends Error {
  override readonly name = "FunctionError";
}
