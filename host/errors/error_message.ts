// Formats an error for the user and for the log: its message, and the errors
// that it contains (its cause, the parts of an AggregateError, both errors of a
// SuppressedError).

import { limitedText } from "./limited_text.ts";
import { describeForeignValue } from "./describe_value.ts";

/** How many errors of one list are shown. */
const MAX_PARTS = 20;

/** How many levels of contained errors are shown. */
const MAX_DEPTH = 10;

/** How many errors of a tree are logged. */
const MAX_LOGGED_ERRORS = 1000;

/** The most that is searched to find out whether a text is included, in characters. */
const MAX_COMPARED_LENGTH = 50_000_000;

/** All errors of one build, formatted as Packer does. */
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

/**
 * Returns the message of an error, with the messages of the errors that it
 * contains.
 *
 * @param error What was thrown.
 */
export function errorMessage(error: unknown): string {
  return limitedText(messageOf(error, new Set(), 0));
}

function messageOf(
  error: unknown,
  shown: Set<unknown>,
  depth: number,
): string {
  if (typeof error === "string" && error !== "") return limitedText(error);
  if (!(error instanceof Error)) {
    return `a plugin threw ${describeForeignValue(error)} instead of an Error`;
  }
  shown.add(error);
  let text = ownMessage(error);
  if (depth === MAX_DEPTH) return text;
  const add = (one: unknown, before: string, shift = "") => {
    if (one === undefined || shown.has(one)) return;
    const message = messageOf(one, shown, depth + 1);
    if (isIncluded(one, message, text)) return;
    const part = `${before}${message.replaceAll("\n", `\n${shift}`)}`;
    text += text === "" ? part : `\n${part}`;
  };
  const { errors, suppressed, last } = heldErrors(error);
  for (const one of errors.slice(0, MAX_PARTS)) add(one, "* ", "  ");
  if (errors.length > MAX_PARTS) {
    text += `\n* and ${errors.length - MAX_PARTS} more`;
  }
  add(suppressed, "");
  add(last, text === "" ? "" : "Cleaning up failed as well: ");
  // The message of a SourceError contains the problems of its cause with their positions.
  if (error.name !== "SourceError") add(error.cause, "Caused by: ");
  return text;
}

/** Whether a text already contains the message of an error, perhaps in other words. */
function isIncluded(error: unknown, message: string, text: string): boolean {
  const lines = message.split("\n");
  if (
    lines.length * text.length <= MAX_COMPARED_LENGTH &&
    lines.every((line) => text.includes(line))
  ) return true;
  if (!(error instanceof Error)) return false;
  // Messages usually quote an operating system error in lower case and without its number.
  const reason = error.name === "NotCapable"
    ? "permission denied"
    : /^(.+?) \(os error \d+\)/.exec(message)?.[1]?.toLowerCase();
  return reason !== undefined && text.toLowerCase().includes(reason);
}

/** Returns the message of an error alone; "" for one that only contains others. */
function ownMessage(error: Error): string {
  if (
    error.name === "SuppressedError" && Object.hasOwn(error, "suppressed") &&
    /^(An error was suppressed during disposal\.?)?$/.test(error.message)
  ) return "";
  const message = limitedText(
    error.message === "" ? error.name : error.message,
  );
  const guarded = /^Requires all access to ("[^"]*")/.exec(message)?.[1];
  if (guarded !== undefined) {
    return `permission denied: Deno does not open files in /dev, /proc and /sys, such as ${guarded}; use another path`;
  }
  return error.name === "NotCapable"
    ? `${message}\n(The permissions of a plugin are set when it is compiled: in its deno.json, "compile": {"permissions": {...}}.)`
    : message;
}

/** Returns the errors that an error contains, except its cause, in the order in which they occurred. */
function heldErrors(
  error: Error,
): { errors: readonly unknown[]; suppressed: unknown; last: unknown } {
  const { errors, suppressed, error: last } = error as {
    errors?: unknown;
    suppressed?: unknown;
    error?: unknown;
  };
  return {
    errors: Array.isArray(errors) &&
        (error.name === "AggregateError" ||
          errors.some((one) => one instanceof Error))
      ? errors
      : [],
    suppressed: error.name === "SuppressedError" ? suppressed : undefined,
    last: error.name === "SuppressedError" ? last : undefined,
  };
}

/** Lines that are not indented further: indented lines, list items, and the heading of a plugin's last lines. */
const HOST_LINE = /^(?:$|\s|\* |\(|It wrote:$)/;

/**
 * Indents the lines after the first that could be mistaken for lines of the host.
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
 * Returns the stack traces of an error and of all errors that it contains, line
 * by line, for the log.
 *
 * @param error What was thrown.
 */
export function formatErrorChain(error: unknown): string[] {
  const lines: string[] = [];
  const seen = new Set<unknown>();
  const open: { error: unknown; before: string }[] = [{ error, before: "" }];
  for (
    let next = open.pop();
    next !== undefined && seen.size < MAX_LOGGED_ERRORS;
    next = open.pop()
  ) {
    if (seen.has(next.error)) continue;
    seen.add(next.error);
    const one = next.error;
    const text = one instanceof Error
      ? limitedText(one.stack ?? errorMessage(one))
      : describeForeignValue(one);
    for (const line of `${next.before}${text}`.split("\n")) lines.push(line);
    if (!(one instanceof Error)) continue;
    const { errors, suppressed, last } = heldErrors(one);
    // The last one pushed is the next one logged.
    if (one.cause !== undefined) {
      open.push({ error: one.cause, before: "Caused by: " });
    }
    if (last !== undefined) {
      open.push({ error: last, before: "While cleaning up: " });
    }
    if (suppressed !== undefined) {
      open.push({ error: suppressed, before: "Suppressed: " });
    }
    for (const part of errors.slice(0, MAX_LOGGED_ERRORS).toReversed()) {
      open.push({ error: part, before: "" });
    }
  }
  return lines;
}

/**
 * Whether an error, or one that it contains, satisfies a condition.
 *
 * @param error What was thrown.
 * @param condition The condition.
 */
export function someError(
  error: unknown,
  condition: (error: Error) => boolean,
): boolean {
  const seen = new Set<unknown>();
  const open: unknown[] = [error];
  while (open.length > 0 && seen.size < MAX_LOGGED_ERRORS) {
    const one = open.pop();
    if (!(one instanceof Error) || seen.has(one)) continue;
    if (condition(one)) return true;
    seen.add(one);
    const { errors, suppressed, last } = heldErrors(one);
    open.push(
      one.cause,
      suppressed,
      last,
      ...errors.slice(0, MAX_LOGGED_ERRORS),
    );
  }
  return false;
}
