// Frames: cuts what comes out of a pipe, in pieces of any size, into messages
// (a line of JSON and the raw bytes behind it), and trusts none of it.

import type { SpliceBuffer } from "./payload/spliced_payload.ts";
import { ByteBuffer } from "../common/byte_buffer.ts";
import { isObject } from "../common/is_object.ts";
import { isDeeperThan } from "./json_depth.ts";
import type { BufferPool } from "./payload/pooled_payload.ts";
import { estimateMemory, MAX_VALUES } from "./message_cost.ts";
import { excerpt, type Limits, ProtocolError } from "./protocol.ts";

/** A message as it stands on the wire. */
export interface Frame {
  /** superjson's `json`: always an object. */
  json: Record<string, unknown>;
  /** superjson's `meta`, as yet unchecked. */
  meta: unknown;
  /** The raw bytes behind the line; none where they go past this process. */
  bytes: Uint8Array[];
  /** Where they go instead. */
  bypass: SpliceBuffer | undefined;
  /** An estimate of the memory that it takes, in bytes. */
  memory: number;
}

/** Where the bytes behind a line go that only pass through. */
export interface PayloadPolicy {
  /**
   * Memory that is used again.
   *
   * @param json The line's message, which nobody has looked at yet.
   * @returns The memory; undefined where they stay.
   */
  memory(json: Record<string, unknown>): BufferPool | undefined;
  /**
   * A way past this process.
   *
   * @param json The line's message, which nobody has looked at yet.
   * @param line The line.
   * @param lengths How many bytes there are, part by part.
   * @returns The way; undefined where they come into its memory.
   */
  bypass(
    json: Record<string, unknown>,
    line: string,
    lengths: readonly number[],
  ): SpliceBuffer | undefined;
}

/**
 * Takes a frame.
 *
 * @param isLast Whether nothing is behind it, of what has come.
 */
export type OnFrame = (frame: Frame, isLast: boolean) => void;

const NEWLINE = 10;

/** What every message begins with: `{`. */
const BEGIN = 123;

/** Lines that were decoded together. */
class DecodedLines {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next line; undefined where there is none, and it is to be decoded. */
  next(): string | undefined {
    const begin = this.#position;
    const end = this.#text.indexOf("\n", begin);
    if (end === -1) return undefined;
    this.#position = end + 1;
    return this.#text.slice(begin, end);
  }
}

const NOTHING = new Uint8Array(0);

const NO_TEXTS = new DecodedLines("");

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  readonly #limits: Limits;
  readonly #onText: ((line: Uint8Array) => void) | undefined;
  readonly #passing: PayloadPolicy | undefined;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  /** The beginning of a line whose end has not come yet. */
  readonly #line = new ByteBuffer();
  /** The frame whose raw bytes are still coming. */
  #frame: Frame | undefined;
  /** Which of its bytes is being filled, and how far. */
  #index = 0;
  #filled = 0;
  /** Whether the last piece had raw bytes in it, which are no text. The next may too. */
  #hadBytes = false;

  /** How much text has come that is no message, in bytes. */
  #textLength = 0;

  /**
   * @param limits The most that is accepted.
   * @param onText Takes each line that is no message but a text; where it is
   * absent such a line is an error.
   * @param passing Where bytes go that only pass through.
   */
  constructor(
    limits: Limits,
    onText?: (line: Uint8Array) => void,
    passing?: PayloadPolicy,
  ) {
    this.#limits = limits;
    this.#onText = onText;
    this.#passing = passing;
  }

  /** Takes the end of what can be read: half a line of text is a line too. */
  end(): void {
    const line = this.#takeLine(new Uint8Array());
    if (this.#isText(line[0])) this.#onText!(line);
  }

  /** Lets go of a message that has not come as a whole. */
  abandon(): void {
    this.#frame?.bypass?.release();
    this.#frame = undefined;
  }

  /** The beginning of a line whose end has not come. */
  get unfinished(): string {
    return new TextDecoder().decode(this.#line.peek());
  }

  /**
   * Takes the next piece.
   *
   * @param chunk What was read; it is not kept.
   * @param onFrame Called at once for each frame that is now whole.
   * @throws {ProtocolError} When it is not a message, or too large.
   */
  push(chunk: Uint8Array, onFrame: OnFrame): void {
    let position = 0;
    let texts = this.#hadBytes ? NO_TEXTS : this.#textsIn(chunk);
    this.#hadBytes = this.#frame !== undefined;
    while (position < chunk.length) {
      if (this.#frame !== undefined) {
        position = this.#fill(this.#frame, chunk, position, onFrame);
        continue;
      }
      const end = chunk.indexOf(NEWLINE, position);
      const stop = end === -1 ? chunk.length : end;
      if (this.#line.length + stop - position > this.#limits.line) {
        throw new ProtocolError(
          `a line is longer than ${this.#limits.line} bytes`,
        );
      }
      if (end === -1) {
        this.#line.add(chunk.subarray(position));
        if (this.#isText(this.#line.first)) this.#limitText(this.#line.length);
        return;
      }
      const text = texts.next();
      const line = this.#takeLine(chunk.subarray(position, end));

      position = end + 1;
      if (line.length === 0) continue;
      if (this.#isText(line[0])) {
        this.#text(line);
        continue;
      }
      const memory = estimateMemory(line);
      if (memory === Infinity) {
        throw new ProtocolError(`a message has more than ${MAX_VALUES} values`);
      }
      const frame = this.#parse(text ?? this.#decoded(line), memory);
      if (frame.bytes.length === 0 && frame.bypass === undefined) {
        onFrame(frame, position === chunk.length);
      } else {
        texts = NO_TEXTS;
        this.#hadBytes = true;
        this.#frame = frame;
        this.#index = 0;
        this.#filled = 0;
        // Bytes of no length are complete as they are, with nothing to wait for.
        this.#fill(frame, chunk, position, onFrame, position);
      }
    }
  }

  /**
   * The lines of a piece, decoded together where there are several: one by one
   * takes longer than parsing them.
   */
  #textsIn(chunk: Uint8Array): DecodedLines {
    if (this.#frame !== undefined || this.#line.length > 0) return NO_TEXTS;
    const first = chunk.indexOf(NEWLINE);
    if (first === -1 || first === chunk.length - 1) return NO_TEXTS;
    const end = chunk.lastIndexOf(NEWLINE);
    try {
      return new DecodedLines(this.#decoder.decode(chunk.subarray(0, end + 1)));
    } catch {
      // The line that is none will be found, and told apart from the others.
      return NO_TEXTS;
    }
  }

  /** Where the bytes go that come next, if past this process. */
  get bypass(): SpliceBuffer | undefined {
    return this.#frame?.bypass;
  }

  /**
   * Takes that something has been moved into {@linkcode bypass}.
   *
   * @param onFrame Called where its frame is now whole.
   */
  commitSplice(onFrame: OnFrame): void {
    this.#fill(this.#frame!, NOTHING, 0, onFrame);
  }

  /** Where the bytes go that come next; undefined where a line comes next. */
  get readTarget(): Uint8Array | undefined {
    return this.#frame?.bytes[this.#index]?.subarray(this.#filled);
  }

  /**
   * Takes what was read into {@linkcode readTarget}.
   *
   * @param count How many bytes that was.
   * @param onFrame Called where its frame is now whole.
   */
  commitRead(count: number, onFrame: OnFrame): void {
    const frame = this.#frame!;
    this.#filled += count;
    if (this.#filled < frame.bytes[this.#index]!.length) return;
    this.#index++;
    this.#filled = 0;
    // What is behind it may have no length, and be whole as it is.
    this.#fill(frame, NOTHING, 0, onFrame);
  }

  /** Whether a line that begins with this is no message but a text. */
  #isText(first: number | undefined): boolean {
    return this.#onText !== undefined && first !== undefined && first !== BEGIN;
  }

  #text(line: Uint8Array): void {
    this.#limitText(line.length + 1);
    this.#textLength += line.length + 1;
    this.#onText!(line);
  }

  #limitText(more: number): void {
    if (this.#textLength + more > this.#limits.text) {
      throw new ProtocolError(
        `more than ${this.#limits.text} bytes on stdout are no messages`,
      );
    }
  }

  #takeLine(rest: Uint8Array): Uint8Array {
    if (this.#line.length === 0) return rest;
    this.#line.add(rest);
    return this.#line.drain();
  }

  /** Fills the frame's bytes from `chunk`, and says how far the chunk is used. */
  #fill(
    frame: Frame,
    chunk: Uint8Array,
    position: number,
    onFrame: OnFrame,
    end = chunk.length,
  ): number {
    const { bypass } = frame;
    if (bypass !== undefined) {
      const begin = position;
      position += Math.min(bypass.remaining, end - position);
      if (position > begin) bypass.append(chunk.subarray(begin, position));
      if (bypass.remaining > 0) return position;
    }
    while (this.#index < frame.bytes.length) {
      const target = frame.bytes[this.#index]!;
      const count = Math.min(target.length - this.#filled, end - position);
      target.set(chunk.subarray(position, position + count), this.#filled);
      position += count;
      this.#filled += count;
      if (this.#filled < target.length) return position;
      this.#index++;
      this.#filled = 0;
    }
    this.#frame = undefined;
    onFrame(frame, position === chunk.length);
    return position;
  }

  #decoded(line: Uint8Array): string {
    try {
      return this.#decoder.decode(line);
    } catch {
      throw new ProtocolError(
        `a line is not UTF-8: ${excerpt(new TextDecoder().decode(line))}`,
      );
    }
  }

  #parse(text: string, memory: number): Frame {
    let document: unknown;
    try {
      document = JSON.parse(text);
    } catch {
      throw new ProtocolError(`a line is not a message: ${excerpt(text)}`);
    }
    if (
      !isObject(document) || !Object.hasOwn(document, "json") ||
      !isObject(document.json)
    ) {
      throw new ProtocolError(`a line is not a message: ${excerpt(text)}`);
    }
    // A shorter line has no room for so many brackets.
    if (
      text.length > 2 * this.#limits.depth &&
      isDeeperThan(this.#limits.depth, document)
    ) {
      throw new ProtocolError(
        `a message is nested deeper than ${this.#limits.depth} levels`,
      );
    }
    // A key can be written with escapes: only then is a closer look needed.
    if (
      (text.includes("__proto__") || text.includes("\\u")) &&
      hasProtoKey(document)
    ) {
      throw new ProtocolError(`a message has a key "__proto__"`);
    }
    const { json, meta } = document;
    if (json.bytes === undefined) {
      return { json, meta, bytes: [], bypass: undefined, memory };
    }
    const lengths = this.#lengths(json.bytes);
    const bypass = this.#passing?.bypass(json, text, lengths);
    if (bypass !== undefined) {
      return { json, meta, bytes: [], bypass, memory };
    }
    const pool = this.#passing?.memory(json);
    const bytes = lengths.map((length) =>
      pool?.acquire(length) ?? new Uint8Array(length)
    );
    for (const length of lengths) memory += length;
    return { json, meta, bytes, bypass, memory };
  }

  #lengths(lengths: unknown): number[] {
    if (
      !Array.isArray(lengths) ||
      !lengths.every((length) => Number.isSafeInteger(length) && length >= 0)
    ) {
      throw new ProtocolError("a message's bytes are not a list of lengths");
    }
    if (lengths.length > this.#limits.parts) {
      throw new ProtocolError(
        `a message has more than ${this.#limits.parts} parts of bytes behind it`,
      );
    }
    const total = lengths.reduce((sum, length) => sum + length, 0);
    if (total > this.#limits.bytes) {
      throw new ProtocolError(
        `a message has ${total} bytes behind it, more than ${this.#limits.bytes}`,
      );
    }
    return lengths;
  }
}

/** Looks without recursion: the nesting is the other side's choice. */
function hasProtoKey(root: unknown): boolean {
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== "object" || value === null) continue;
    if (Object.hasOwn(value, "__proto__")) return true;
    for (const child of Object.values(value)) open.push(child);
  }
  return false;
}
