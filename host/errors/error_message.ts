// What an error tells a user, and what it tells the log: its message, and
// the errors that it holds (its cause, the parts of an AggregateError, both
// errors of a SuppressedError).

import { limitedText } from "../text/limited_text.ts";
import { describeForeignValue } from "./describe_value.ts";

/** How many errors of one list are shown, and how deep they are followed. */
const MAX_PARTS = 20;
const MAX_DEPTH = 10;

/** How many errors of a tree are logged. */
const MAX_LOGGED = 1000;

/** The most that is looked through to find out whether a text is told already, in characters. */
const MAX_COMPARED_LENGTH = 50_000_000;

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

/**
 * The message of an error, with the messages of the errors that it holds.
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
    return `a plugin threw ${describeForeignValue(error)} in place of an Error`;
  }
  shown.add(error);
  let text = ownMessage(error);
  if (depth === MAX_DEPTH) return text;
  const add = (one: unknown, before: string, shift = "") => {
    if (one === undefined || shown.has(one)) return;
    const message = messageOf(one, shown, depth + 1);
    if (isTold(one, message, text)) return;
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
  // A SourceError tells the problems of its cause with their places.
  if (error.name !== "SourceError") add(error.cause, "Caused by: ");
  return text;
}

/** Whether a text already contains the message of an error, perhaps in other words. */
function isTold(error: unknown, message: string, text: string): boolean {
  const lines = message.split("\n");
  if (
    lines.length * text.length <= MAX_COMPARED_LENGTH &&
    lines.every((line) => text.includes(line))
  ) return true;
  if (!(error instanceof Error)) return false;
  // A system's error is usually told in lower case and without its number.
  const reason = error.name === "NotCapable"
    ? "permission denied"
    : /^(.+?) \(os error \d+\)/.exec(message)?.[1]?.toLowerCase();
  return reason !== undefined && text.toLowerCase().includes(reason);
}

/** The message of an error alone; "" for one that only holds others. */
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

/** The errors that an error holds beside its cause, in the order in which they occurred. */
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
 * The stack traces of an error and of all errors that it holds, line by line,
 * for the log.
 *
 * @param error What was thrown.
 */
export function formatErrorChain(error: unknown): string[] {
  const lines: string[] = [];
  const seen = new Set<unknown>();
  const open: { error: unknown; before: string }[] = [{ error, before: "" }];
  for (
    let next = open.pop();
    next !== undefined && seen.size < MAX_LOGGED;
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
    for (const part of errors.slice(0, MAX_LOGGED).toReversed()) {
      open.push({ error: part, before: "" });
    }
  }
  return lines;
}

/**
 * Whether an error, or one that it holds, fulfils a condition.
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
  while (open.length > 0 && seen.size < MAX_LOGGED) {
    const one = open.pop();
    if (!(one instanceof Error) || seen.has(one)) continue;
    if (condition(one)) return true;
    seen.add(one);
    const { errors, suppressed, last } = heldErrors(one);
    open.push(one.cause, suppressed, last, ...errors.slice(0, MAX_LOGGED));
  }
  return false;
}
