// The log relay: tags each line that a plugin writes to stderr with the
// plugin's path, and keeps the last lines for the error when the plugin dies.

import { ByteBuffer } from "../../plugin/common/byte_buffer.ts";
import type { Log } from "./log.ts";
import { escapeControlChars } from "../text/escape_control_chars.ts";

const NEWLINE = 10;
const LINE_END = Uint8Array.of(NEWLINE);

/** How many of the last lines of stderr are kept. */
const MAX_STDERR_LINES = 20;

/** How many of the last lines of stdout that are no messages are kept. */
const MAX_STDOUT_LINES = 3;

/** How many bytes of each of them are kept. */
const MAX_KEPT_BYTES = 16 * 1024;

/** The longest line that is buffered until its end arrives, in bytes. A longer one is logged in parts. */
const MAX_LINE_BYTES = 16 * 2 ** 20;

/** How many bytes at the end of a part are logged with the next one, so that no secret is cut. */
const MAX_SECRET_BYTES = 2 ** 20;

/** How many characters of each kept line are shown. */
const MAX_SHOWN_LENGTH = 2000;

/** Relays one plugin's stderr into the log, in whole lines. */
export class LogRelay {
  readonly #name: string;
  readonly #log: Log;
  /** The beginning of a line whose end has not arrived yet. */
  readonly #begun = new ByteBuffer();
  #lastStderr: Uint8Array[] = [];
  /** The last lines of stdout that are no messages. */
  #lastStdout: Uint8Array[] = [];

  constructor(name: string, log: Log) {
    this.#name = name;
    this.#log = log;
  }

  /**
   * Relays a chunk of the plugin's stderr.
   *
   * @param chunk Bytes of any length; a partial line is buffered until its end
   * arrives.
   * @returns A promise when the log has no room for more until it resolves.
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
   * Relays a line of the plugin's stdout that is no message.
   *
   * @param line The line, without its line end.
   */
  line(line: Uint8Array): void | Promise<void> {
    const block = new Uint8Array(line.length + 1);
    block.set(line);
    block[line.length] = NEWLINE;
    this.#keepLast(this.#lastStdout, MAX_STDOUT_LINES, block);
    return this.#log.write(this.#name, block);
  }

  /** Called at the end of stderr: writes the last line when it has no line end. */
  end(): void {
    if (this.#begun.length > 0) this.#write(LINE_END);
  }

  /** The plugin's last lines for an error message, oldest first: those of stdout before those of stderr. */
  get lastLines(): string[] {
    return [...this.#lastStdout, ...this.#lastStderr].map((line) => {
      const text = new TextDecoder().decode(line);
      // Colors have no meaning in an error message.
      // deno-lint-ignore no-control-regex
      const plain = text.replace(/\x1b\[[\d;]*m/g, "");
      const seen = this.#log.redact?.(plain) ?? plain;
      return escapeControlChars(seen.slice(0, MAX_SHOWN_LENGTH)).trimEnd();
    });
  }

  /** Writes a part of a line that is too long as a line of its own; its last bytes begin the next part. */
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

  /** Writes the end of the buffered line and the whole lines after it. */
  #write(lines: Uint8Array): void | Promise<void> {
    let block = lines;
    if (this.#begun.length > 0) {
      this.#begun.add(lines);
      block = this.#begun.take();
    }
    this.#keepLast(this.#lastStderr, MAX_STDERR_LINES, block);
    return this.#log.write(this.#name, block);
  }

  /**
   * Adds copies of the last lines of a block to those that are kept. A long line
   * is redacted before it is cut, since a part of a secret might not be found.
   */
  #keepLast(kept: Uint8Array[], most: number, block: Uint8Array): void {
    const lines: Uint8Array[] = [];
    for (let end = block.length - 1; end >= 0 && lines.length < most;) {
      const start = end === 0 ? 0 : block.lastIndexOf(NEWLINE, end - 1) + 1;
      const line = block.subarray(start, end);
      const seen = line.length > MAX_KEPT_BYTES ? this.#redacted(line) : line;
      lines.push(seen.slice(0, MAX_KEPT_BYTES));
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
