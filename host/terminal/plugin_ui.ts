// The ui that plugins call. It has only the methods of the interface, accepts
// only the types of the interface, and answers when there is room for more
// output.

import type { Progress, Ui } from "../../plugin/contract/ui.ts";

/** How much a plugin may send without waiting for room before its output is no longer read, in characters. */
const MAX_WAITING_LENGTH = 8 * 1024 * 1024;

/** How many lines a plugin may show at once: each gets a prefix. */
const MAX_LINES = 100_000;

/** The ui that a {@linkcode PluginUi} writes to. */
export interface UiBackend {
  say(line: string): void;
  message(line: string): void;
  error(line: string): void;
  machine(category: string, ...data: string[]): void;
  ask(query: string): Promise<string>;
  progress(progress: Progress): void;
  /** Resolves when the outputs have room; undefined where they have. */
  readonly room: Promise<void> | undefined;
}

/** Counts the output of a plugin that waits for room, over all objects that it calls. */
export class OutputBacklog {
  #length = 0;
  #room: Promise<void> | undefined;

  /** Resolves when the output of a plugin that does not wait for room may be read again; undefined when it may be read now. */
  get pause(): Promise<void> | undefined {
    return this.#length > MAX_WAITING_LENGTH ? this.#room : undefined;
  }

  /**
   * Counts output until there is room for more.
   *
   * @param length The length of the output.
   * @param room Resolves when there is room.
   */
  async add(length: number, room: Promise<void>): Promise<void> {
    this.#length += length;
    this.#room = room;
    await room;
    this.#length -= length;
  }
}

/** The ui of one build, of a step of it, or of a command, for plugins to call. */
export class PluginUi implements Ui {
  readonly #backend: UiBackend;
  readonly #backlog: OutputBacklog;

  /**
   * @param backend Shows the output.
   * @param backlog Counts the output that waits for room.
   */
  constructor(backend: UiBackend, backlog: OutputBacklog) {
    this.#backend = backend;
    this.#backlog = backlog;
  }

  say(line: string): void | Promise<void> {
    this.#backend.say(linesOf(line, "ui.say()"));
    return this.#whenRoom(line.length);
  }

  message(line: string): void | Promise<void> {
    this.#backend.message(linesOf(line, "ui.message()"));
    return this.#whenRoom(line.length);
  }

  error(line: string): void | Promise<void> {
    this.#backend.error(linesOf(line, "ui.error()"));
    return this.#whenRoom(line.length);
  }

  machine(category: string, ...data: string[]): void | Promise<void> {
    const strings = [category, ...data].map((one) =>
      stringOf(one, "ui.machine()")
    );
    this.#backend.machine(...strings as [string, ...string[]]);
    return this.#whenRoom(
      strings.reduce((sum, { length }) => sum + length, 0),
    );
  }

  ask(query: string): Promise<string> {
    return this.#backend.ask(linesOf(query, "ui.ask()"));
  }

  progress(progress: Progress): void {
    if (typeof progress !== "object" || progress === null) {
      throw new TypeError("ui.progress() takes an object");
    }
    const { label, current, total, unit, done } = progress;
    this.#backend.progress({
      label: stringOf(label, "the label of ui.progress()"),
      current: numberOf(current, "current"),
      ...(isAbsent(total) ? {} : { total: numberOf(total, "total") }),
      ...(isAbsent(unit)
        ? {}
        : { unit: stringOf(unit, "the unit of ui.progress()") }),
      done: done === true,
    });
  }

  #whenRoom(length: number): void | Promise<void> {
    const { room } = this.#backend;
    if (room !== undefined) return this.#backlog.add(length, room);
  }
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** Returns a string; rejects an object instead of converting it, which would call the plugin that sent it. */
function stringOf(value: unknown, where: string): string {
  if (typeof value === "string") return value;
  throw new TypeError(`${where} takes a string, not ${kindOf(value)}`);
}

function linesOf(value: unknown, where: string): string {
  const text = stringOf(value, where);
  if (text.length <= MAX_LINES) return text;
  let lines = 1;
  for (
    let at = text.indexOf("\n");
    at !== -1;
    at = text.indexOf("\n", at + 1)
  ) {
    if (++lines > MAX_LINES) {
      throw new RangeError(`${where} takes at most ${MAX_LINES} lines`);
    }
  }
  return text;
}

function numberOf(value: unknown, name: string): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  throw new TypeError(
    `the ${name} of ui.progress() is a number, not ${kindOf(value)}`,
  );
}

function kindOf(value: unknown): string {
  return value === null
    ? "null"
    : value === undefined
    ? "undefined"
    : `a value of type ${typeof value}`;
}
