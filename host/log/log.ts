// The log: what the host and its plugins did, line by line, for the user
// who looks for the reason of something. Off unless BALER_LOG asks for it.

import { escapeControlChars } from "../text/escape_control_chars.ts";
import { ByteBuffer } from "../../plugin/common/byte_buffer.ts";

/** Takes whole lines, each with the name of who wrote it. */
export interface Log {
  /**
   * Writes lines of one writer.
   *
   * @param name Who wrote them: `"ui"`, or a plugin's path.
   * @param lines Texts without their ends; or the bytes of any number of lines,
   * each with its end, which may change after the call.
   * @returns A promise where a target has no room: who writes much waits for it.
   */
  write(
    name: string,
    lines: readonly string[] | Uint8Array,
  ): void | Promise<void>;
  /**
   * Makes a text fit to be seen, for what is shown of a writer's lines
   * elsewhere, for example in an error.
   *
   * @param text The text.
   */
  redact?(text: string): string;
}

/** The log that keeps nothing. */
export const NO_LOG: Log = { write() {} };

/** Where a log goes. */
export interface LogTarget {
  /** Writes some of the bytes, which may change after the call, and says how many. */
  writeSync(bytes: Uint8Array): number;
  /** Whether a user looks at it, whose terminal escape codes would reach. */
  isTerminal(): boolean;
  /** Resolves when a target that queues has room; undefined where it has. */
  room?(): Promise<void> | undefined;
}

/** What a log is made of. */
export interface LogOptions {
  /** Where it goes; each target gets every line. */
  targets: readonly LogTarget[];
  /**
   * Makes lines fit to be seen, for example without the values of sensitive
   * variables: gets a text of one or more lines. Looked up for each write: it
   * may come and go.
   */
  readonly redact?: ((text: string) => string) | undefined;
  /** The time, for the beginning of each line. */
  now?(): Date;
  /**
   * Is told that a target takes no more, for example because its disk is full.
   * It gets nothing from then on; the other targets do, and the work that the
   * log tells of goes on.
   */
  onFailure?(target: LogTarget, error: unknown): void;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const NEWLINE = 10;
const LINE_END = Uint8Array.of(NEWLINE);

/**
 * Makes a log of lines like
 *
 *     2013/06/10 21:44:43 /opt/baler-builder-x: Plugin started
 *
 * The text of a line is relayed byte for byte, except where it would harm a
 * terminal or show what must not be seen.
 *
 * @param options Where it goes, and how.
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
        const harmless = encoder.encode(
          escapeControlChars(decoder.decode(bytes)),
        );
        for (const terminal of terminals) write(terminal, harmless);
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

const USUAL_SIZE = 256 * 1024;

/** Puts a tag before each line, in memory that is used again and again. */
class TaggedLines {
  #bytes = new Uint8Array(USUAL_SIZE);

  /**
   * Puts a tag before each line.
   *
   * @param tag The tag.
   * @param block Lines, each with its end.
   * @returns Bytes that change with the next call.
   */
  of(tag: Uint8Array, block: Uint8Array): Uint8Array {
    if (this.#bytes.length > USUAL_SIZE) {
      this.#bytes = new Uint8Array(USUAL_SIZE);
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

/** Lines in which what must not be seen is not; the others stay as they are, valid UTF-8 or not. */
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
  // A secret of several short lines is found in all of them together alone.
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
