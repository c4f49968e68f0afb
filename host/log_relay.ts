// The log relay: tags each line that a plugin writes to stderr with the
// plugin's path, and keeps its last lines for the day it dies.

import { ByteBuffer } from "../plugin/rpc/byte_buffer.ts";
import { harmlessText, type Log } from "./log.ts";

const NEWLINE = 10;

/** How many of a plugin's last lines are kept, and how much of each. */
const KEPT_LINES = 20;
const KEPT_TEXTS = 3;
const KEPT_LENGTH = 2000;

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
   */
  push(chunk: Uint8Array): void {
    const lines: Uint8Array[] = [];
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end === -1) break;
      let line = chunk.subarray(start, end);
      if (this.#begun.length > 0) {
        this.#begun.add(line);
        line = this.#begun.take();
      }
      lines.push(line);
      start = end + 1;
    }
    if (start < chunk.length) this.#begun.add(chunk.subarray(start));
    this.#write(lines);
  }

  /**
   * Takes a line that came in another way than over stderr.
   *
   * @param line The line, without its end.
   */
  line(line: Uint8Array): void {
    keep(this.#lastTexts, [line], KEPT_TEXTS);
    this.#log.write(this.#name, [line]);
  }

  /** Writes the line that has no end, if there is one. */
  end(): void {
    if (this.#begun.length === 0) return;
    this.#write([this.#begun.take()]);
  }

  /** The plugin's last lines, oldest first, fit to be shown; before them what it wrote to stdout. */
  get lastLines(): string[] {
    return [...this.#lastTexts, ...this.#last].map((line) => {
      const text = new TextDecoder().decode(line);
      // Colours are for a terminal that the plugin has not got.
      // deno-lint-ignore no-control-regex
      return harmlessText(text.replace(/\x1b\[[\d;]*m/g, "")).trimEnd();
    });
  }

  #write(lines: Uint8Array[]): void {
    if (lines.length === 0) return;
    keep(this.#last, lines, KEPT_LINES);
    this.#log.write(this.#name, lines);
  }
}

/** Adds the last of some lines to those that are kept. */
function keep(kept: Uint8Array[], lines: Uint8Array[], most: number): void {
  for (const line of lines.slice(-most)) kept.push(line.slice(0, KEPT_LENGTH));
  kept.splice(0, kept.length - most);
}
