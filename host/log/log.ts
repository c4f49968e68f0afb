// The log: lines that the host and its plugins write for debugging. Off unless
// BALER_LOG is set.

import { escapeControlChars } from "../text/escape_control_chars.ts";
import { ByteBuffer } from "../../plugin/common/byte_buffer.ts";

/** Receives whole lines, each with the name of its writer. */
export interface Log {
  /**
   * Writes lines of one writer.
   *
   * @param name The writer: `"ui"`, or a plugin's path.
   * @param lines Strings without line ends; or the bytes of any number of lines
   * with their line ends, which may change after the call.
   * @returns A promise where a target has no room; the caller waits for it
   * before it writes more.
   */
  write(
    name: string,
    lines: readonly string[] | Uint8Array,
  ): void | Promise<void>;
  /**
   * Replaces secrets in a text, for lines of the writer that are shown
   * elsewhere, for example in an error.
   *
   * @param text The text.
   */
  redact?(text: string): string;
}

/** A log that discards everything. */
export const NO_LOG: Log = { write() {} };

/** A file or terminal to which a log is written. */
export interface LogTarget {
  /** Writes some of the bytes, which may change after the call; returns their number. */
  writeSync(bytes: Uint8Array): number;
  /** Whether it is a terminal, which would interpret escape codes. */
  isTerminal(): boolean;
  /** For a target with a queue: resolves when it has room; undefined when it has room now. */
  room?(): Promise<void> | undefined;
}

/** The options of a log. */
export interface LogOptions {
  /** The targets; each gets every line. */
  targets: readonly LogTarget[];
  /**
   * Replaces secrets, for example the values of sensitive variables, in a text
   * of one or more lines. Read for each write, since it may change.
   */
  readonly redact?: ((text: string) => string) | undefined;
  /** Returns the time for the timestamp of each line. */
  now?(): Date;
  /**
   * Called when a write to a target fails, for example because its disk is full.
   * That target gets no more lines; logging to the other targets, and the build,
   * continue.
   */
  onFailure?(target: LogTarget, error: unknown): void;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const NEWLINE = 10;
const LINE_END = Uint8Array.of(NEWLINE);

/**
 * Creates a log of lines such as
 *
 *     2013/06/10 21:44:43 /opt/baler-builder-x: Plugin started
 *
 * The text of a line is relayed byte for byte, except for control characters on
 * a terminal and for secrets.
 *
 * @param options The targets, and how lines are written.
 */
export function createLog(options: LogOptions): Log {
  const { now = () => new Date() } = options;
  let terminals = options.targets.filter((target) => target.isTerminal());
  let files = options.targets.filter((target) => !target.isTerminal());
  const tagged = new TaggedLines();
  let second = -1;
  let time = "";
  const write = (target: LogTarget, bytes: Uint8Array) => {
    try {
      writeAll(target, bytes);
    } catch (error) {
      files = files.filter((other) => other !== target);
      terminals = terminals.filter((other) => other !== target);
      options.onFailure?.(target, error);
    }
  };
  return {
    write(name, lines) {
      const block = lines instanceof Uint8Array
        ? lines
        : encoder.encode(lines.map((line) => `${line}\n`).join(""));
      if (block.length === 0) return;
      const date = now();
      const thisSecond = Math.floor(date.valueOf() / 1000);
      if (thisSecond !== second) {
        second = thisSecond;
        time = formatTime(date);
      }
      const { redact } = options;
      const bytes = tagged.of(
        encoder.encode(`${time} ${name}: `),
        redact === undefined ? block : redacted(block, redact),
      );
      for (const file of files) write(file, bytes);
      if (terminals.length > 0) {
        const escaped = encoder.encode(
          escapeControlChars(decoder.decode(bytes)),
        );
        for (const terminal of terminals) write(terminal, escaped);
      }
      return roomOf(files) ?? roomOf(terminals);
    },
    redact: (text) => options.redact?.(text) ?? text,
  };
}

function roomOf(targets: readonly LogTarget[]): Promise<void> | undefined {
  for (const target of targets) {
    const room = target.room?.();
    if (room !== undefined) return room;
  }
}

/** The size of the buffer for tagged lines, in bytes; a larger one is used for one block only. */
const BUFFER_BYTES = 256 * 1024;

/** Puts a tag before each line, in a reused buffer. */
class TaggedLines {
  #bytes = new Uint8Array(BUFFER_BYTES);

  /**
   * Puts a tag before each line.
   *
   * @param tag The tag.
   * @param block Lines, each with its line end.
   * @returns Bytes that are valid until the next call.
   */
  of(tag: Uint8Array, block: Uint8Array): Uint8Array {
    if (this.#bytes.length > BUFFER_BYTES) {
      this.#bytes = new Uint8Array(BUFFER_BYTES);
    }
    let bytes = this.#bytes;
    let length = 0;
    for (let start = 0; start < block.length;) {
      const end = block.indexOf(NEWLINE, start) + 1 || block.length;
      const needed = length + tag.length + (end - start);
      if (needed > bytes.length) bytes = this.#grown(needed, length);
      bytes.set(tag, length);
      bytes.set(block.subarray(start, end), length + tag.length);
      length = needed;
      start = end;
    }
    return bytes.subarray(0, length);
  }

  #grown(needed: number, length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    bytes.set(this.#bytes.subarray(0, length));
    return this.#bytes = bytes;
  }
}

/** Replaces secrets in lines; lines without any stay as they are, valid UTF-8 or not. */
function redacted(
  block: Uint8Array,
  redact: (text: string) => string,
): Uint8Array {
  const text = decoder.decode(block);
  const whole = redact(text);
  if (whole === text) return block;
  const all = new ByteBuffer();
  for (let start = 0; start < block.length;) {
    const end = block.indexOf(NEWLINE, start);
    const line = block.subarray(start, end === -1 ? block.length : end);
    const text = decoder.decode(line);
    const seen = redact(text);
    all.add(seen === text ? line : encoder.encode(seen));
    all.add(LINE_END);
    start += line.length + 1;
  }
  const bytes = all.take();
  // A secret of several short lines is found only in all lines together.
  const seen = decoder.decode(bytes);
  return redact(seen) === seen ? bytes : encoder.encode(whole);
}

function formatTime(date: Date): string {
  const two = (number: number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}/${two(date.getMonth() + 1)}/${
    two(date.getDate())
  } ${two(date.getHours())}:${two(date.getMinutes())}:${
    two(date.getSeconds())
  }`;
}

function writeAll(target: LogTarget, bytes: Uint8Array): void {
  while (bytes.length > 0) bytes = bytes.subarray(target.writeSync(bytes));
}
