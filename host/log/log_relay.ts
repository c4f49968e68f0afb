// The log relay: tags each line that a plugin writes to stderr with the
// plugin's path, and keeps the last lines for the error of the plugin's death.

import { ByteBuffer } from "../../plugin/common/byte_buffer.ts";
import type { Log } from "./log.ts";
import { escapeControlChars } from "../text/escape_control_chars.ts";

const NEWLINE = 10;
const LINE_END = Uint8Array.of(NEWLINE);

/** How many of a plugin's last lines are kept, and how many bytes of each. */
const KEPT_LINES = 20;
const KEPT_TEXTS = 3;
const KEPT_BYTES = 16 * 1024;

/**
 * The longest line that is kept in memory until its end comes. A longer one is
 * logged in parts, and the end of each part is kept for the next one, so that no
 * secret is cut.
 */
const MAX_LINE_BYTES = 16 * 2 ** 20;
const MAX_SECRET_BYTES = 2 ** 20;

/** How many characters of each kept line are shown. */
const MAX_SHOWN_LENGTH = 2000;

/** Relays one plugin's stderr into the log, in whole lines. */
export class LogRelay {
  readonly #name: string;
  readonly #log: Log;
  /** The beginning of a line whose end has not come yet. */
  readonly #begun = new ByteBuffer();
  #last: Uint8Array[] = [];
  /** The last lines that came in another way. */
  #lastTexts: Uint8Array[] = [];

  constructor(name: string, log: Log) {
    this.#name = name;
    this.#log = log;
  }

  /**
   * Takes what was read from the plugin's stderr.
   *
   * @param chunk Bytes, in pieces of any size; kept until their line is whole.
   * @returns A promise where the log has no room for more until it resolves.
   */
  push(chunk: Uint8Array): void | Promise<void> {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    let room: void | Promise<void> = undefined;
    if (end > 0) room = this.#write(chunk.subarray(0, end));
    if (end < chunk.length) this.#begun.add(chunk.subarray(end));
    if (this.#begun.length > MAX_LINE_BYTES) this.#cut();
    return room;
  }

  /**
   * Takes a line that came in another way than over stderr.
   *
   * @param line The line, without its end.
   */
  line(line: Uint8Array): void | Promise<void> {
    const block = new Uint8Array(line.length + 1);
    block.set(line);
    block[line.length] = NEWLINE;
    this.#keepLast(this.#lastTexts, KEPT_TEXTS, block);
    return this.#log.write(this.#name, block);
  }

  /** Writes the line that has no end, if there is one. */
  end(): void {
    if (this.#begun.length > 0) this.#write(LINE_END);
  }

  /** The plugin's last lines, oldest first, fit to be shown; before them what it wrote to stdout. */
  get lastLines(): string[] {
    return [...this.#lastTexts, ...this.#last].map((line) => {
      const text = new TextDecoder().decode(line);
      // Colours are for a terminal that the plugin has not got.
      // deno-lint-ignore no-control-regex
      const plain = text.replace(/\x1b\[[\d;]*m/g, "");
      const seen = this.#log.redact?.(plain) ?? plain;
      return escapeControlChars(seen.slice(0, MAX_SHOWN_LENGTH)).trimEnd();
    });
  }

  /** Writes a line that has become too long, as if it had ended; its end begins the next one. */
  #cut(): void {
    let bytes: Uint8Array = this.#begun.take();
    bytes = this.#redacted(bytes);
    const cut = Math.max(0, bytes.length - MAX_SECRET_BYTES);
    if (cut > 0) {
      this.#begun.add(bytes.subarray(0, cut));
      this.#write(LINE_END);
    }
    this.#begun.add(bytes.subarray(cut));
  }

  /** Writes what ends the line that has begun, and whole lines behind it. */
  #write(lines: Uint8Array): void | Promise<void> {
    let block = lines;
    if (this.#begun.length > 0) {
      this.#begun.add(lines);
      block = this.#begun.take();
    }
    this.#keepLast(this.#last, KEPT_LINES, block);
    return this.#log.write(this.#name, block);
  }

  /**
   * Adds copies of the last lines of a block to those that are kept. A long one
   * is redacted before it is cut, as a part of a secret would not be found.
   */
  #keepLast(kept: Uint8Array[], most: number, block: Uint8Array): void {
    const lines: Uint8Array[] = [];
    for (let end = block.length - 1; end >= 0 && lines.length < most;) {
      const start = end === 0 ? 0 : block.lastIndexOf(NEWLINE, end - 1) + 1;
      const line = block.subarray(start, end);
      const seen = line.length > KEPT_BYTES ? this.#redacted(line) : line;
      lines.push(seen.slice(0, KEPT_BYTES));
      end = start - 1;
    }
    kept.push(...lines.reverse());
    kept.splice(0, kept.length - most);
  }

  #redacted(bytes: Uint8Array): Uint8Array {
    const text = new TextDecoder().decode(bytes);
    const seen = this.#log.redact?.(text) ?? text;
    return seen === text ? bytes : new TextEncoder().encode(seen);
  }
}
