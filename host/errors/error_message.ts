// The messages of errors for people, and the error that tells of several.

/** All errors of one build, told as Packer tells them. */
export class AggregateBuildError extends Error {
  /** The error's class, which stays when it crosses to another process. */
  override readonly name = "BuildErrors";
  /** The errors. */
  readonly errors: readonly unknown[];

  /**
   * @param errors The errors; at least one.
   */
  constructor(errors: readonly unknown[]) {
    super(
      `${errors.length} error(s) occurred:\n\n${
        errors.map((error) => `* ${errorMessage(error)}`).join("\n")
      }`,
    );
    this.errors = errors;
  }
}

/** Names of errors that tell of a fault in a program, not in its input. */
const PROGRAMMING_ERRORS: ReadonlySet<string> = new Set([
  "AssertionError",
  "EvalError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "TypeError",
]);

/** Where the stack of a fault is, for those who have to find it. */
export const FAULT_HINT =
  "This is a fault in baler or in a plugin; BALER_LOG=1 shows where.";

/**
 * Whether an error tells of a fault in a program, not in its input.
 *
 * @param error What was thrown.
 */
export function isProgrammingError(error: unknown): error is Error {
  return error instanceof Error && PROGRAMMING_ERRORS.has(error.name);
}

/**
 * Returns the message of an error for people.
 *
 * @param error What was thrown.
 */
export function errorMessage(error: unknown): string {
  if (typeof error === "string" && error !== "") return error;
  if (!(error instanceof Error)) {
    return `a plugin threw ${Deno.inspect(error)} in place of an Error`;
  }
  const message = error.message === "" ? error.name : error.message;
  return error.name === "NotCapable"
    ? `${message}\n(What a plugin may do is said when it is compiled: in its deno.json, "compile": {"permissions": {...}}.)`
    : message;
}

/**
 * Returns the message of an error of a build. Lines that a plugin put into it
 * are indented, so that none looks like a line of the host's own. An error that
 * tells of a fault in a program has a hint where the fault is shown.
 *
 * @param error What was thrown.
 */
export function buildErrorMessage(error: unknown): string {
  const text = indentContinuation(errorMessage(error));
  return hasFault(error) ? `${text}\n    (${FAULT_HINT})` : text;
}

function hasFault(error: unknown): boolean {
  for (let one = error, depth = 0; depth < 5; depth++) {
    if (isProgrammingError(one)) return true;
    if (one instanceof AggregateBuildError) return one.errors.some(hasFault);
    if (!(one instanceof Error)) return false;
    one = one.cause;
  }
  return false;
}

/** Lines that stay as they are: indented ones, items of a list, what a plugin wrote last. */
const HOST_LINE = /^(?:$|\s|\* |\(|It wrote:$)/;

/**
 * Indents all lines but the first that could be taken for lines of the host.
 *
 * @param text The text.
 */
export function indentContinuation(text: string): string {
  if (!text.includes("\n")) return text;
  return text.split("\n").map((line, index) =>
    index === 0 || HOST_LINE.test(line) ? line : `    ${line}`
  ).join("\n");
}

/**
 * Returns all that an error knows of its origin, line by line, for the log.
 *
 * @param error What was thrown.
 */
export function formatErrorChain(error: unknown): string[] {
  const lines: string[] = [];
  const seen = new Set<unknown>();
  const add = (one: unknown, before: string) => {
    if (seen.has(one)) return;
    seen.add(one);
    const text = one instanceof Error
      ? one.stack ?? errorMessage(one)
      : Deno.inspect(one);
    for (const line of `${before}${text}`.split("\n")) lines.push(line);
    if (one instanceof AggregateBuildError) {
      for (const part of one.errors) add(part, "");
    }
    if (one instanceof Error && one.cause !== undefined) {
      add(one.cause, "Caused by: ");
    }
  };
  add(error, "");
  return lines;
}
