// The frame reader: cuts the bytes of a pipe, which arrive in chunks of any size,
// into messages (a line of JSON and the raw bytes behind it), and validates them.

import { ByteBuffer } from "../common/byte_buffer.ts";
import { isObject } from "../common/is_object.ts";
import { isDeeperThan } from "./json_depth.ts";
import { estimateMemory, MAX_VALUES } from "./message_cost.ts";
import { MemoryPayload, NO_PAYLOAD } from "./payload/memory_payload.ts";
import type { Payload, PayloadPolicy } from "./payload/payload.ts";
import { excerpt, type Limits, ProtocolError } from "./protocol.ts";
import type { SpliceTarget } from "./transport.ts";

/** A message as it is on the wire. */
export interface Frame {
  /** superjson's `json`, which is an object. */
  json: Record<string, unknown>;
  /** superjson's `meta`, not validated yet. */
  meta: unknown;
  /** The raw bytes behind the line. */
  payload: Payload;
  /** The memory that the message takes, in bytes, as it is estimated. */
  memory: number;
}

/**
 * Called with each frame.
 *
 * @param isLast Whether nothing has arrived behind it.
 */
export type OnFrame = (frame: Frame, isLast: boolean) => void;

const NEWLINE = 10;

/** The first byte of every message: `{`. */
const BEGIN = 123;

/** Lines that were decoded together. */
class DecodedLines {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Returns the next line; undefined where the line has to be decoded by itself. */
  next(): string | undefined {
    const begin = this.#position;
    const end = this.#text.indexOf("\n", begin);
    if (end === -1) return undefined;
    this.#position = end + 1;
    return this.#text.slice(begin, end);
  }
}

const NO_BYTES = new Uint8Array(0);

const NO_LINES = new DecodedLines("");

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  readonly #limits: Limits;
  readonly #onText: ((line: Uint8Array) => void) | undefined;
  readonly #payloadPolicy: PayloadPolicy | undefined;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  /** The beginning of a line whose end has not arrived. */
  readonly #line = new ByteBuffer();
  /** The frame whose payload is arriving. */
  #frame: Frame | undefined;
  /** Whether the last chunk had raw bytes in it: the next one may too. */
  #hadPayload = false;
  /** How much text has arrived that is not a message, in bytes. */
  #textLength = 0;

  /**
   * @param limits The limits of what is accepted.
   * @param onText Called with each line that is text and not a message; such a
   * line is an error unless given.
   * @param payloadPolicy Chooses where a payload is stored; in memory unless given.
   */
  constructor(
    limits: Limits,
    onText?: (line: Uint8Array) => void,
    payloadPolicy?: PayloadPolicy,
  ) {
    this.#limits = limits;
    this.#onText = onText;
    this.#payloadPolicy = payloadPolicy;
  }

  /** Called at the end of the stream. An incomplete line of text is passed to `onText`. */
  end(): void {
    const line = this.#takeLine(NO_BYTES);
    if (this.#isText(line[0])) this.#onText!(line);
  }

  /** Discards an incomplete message. */
  discard(): void {
    this.#frame?.payload.discard();
    this.#frame = undefined;
  }

  /** The beginning of a line whose end has not arrived. */
  get unfinished(): string {
    return new TextDecoder().decode(this.#line.peek());
  }

  /**
   * Adds the next chunk.
   *
   * @param chunk What was read; it may be reused after the call.
   * @param onFrame Called for each frame that is now complete.
   * @throws {ProtocolError} When it is not a message, or exceeds a limit.
   */
  push(chunk: Uint8Array, onFrame: OnFrame): void {
    let position = 0;
    let lines = this.#hadPayload ? NO_LINES : this.#decodeLines(chunk);
    this.#hadPayload = this.#frame !== undefined;
    while (position < chunk.length) {
      if (this.#frame !== undefined) {
        const { payload } = this.#frame;
        const end = Math.min(position + payload.remaining, chunk.length);
        payload.append(chunk.subarray(position, end));
        position = end;
        this.#endPayload(onFrame, position === chunk.length);
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
      const text = lines.next();
      const line = this.#takeLine(chunk.subarray(position, end));
      position = end + 1;
      if (line.length === 0) continue;
      if (this.#isText(line[0])) {
        this.#addText(line);
        continue;
      }
      const memory = estimateMemory(line);
      if (memory === Infinity) {
        throw new ProtocolError(`a message has more than ${MAX_VALUES} values`);
      }
      const frame = this.#parse(text ?? this.#decode(line), memory);
      if (frame.payload.remaining > 0) {
        lines = NO_LINES;
        this.#hadPayload = true;
        this.#frame = frame;
      } else onFrame(frame, position === chunk.length);
    }
  }

  /**
   * Decodes the lines of a chunk together where there are several: to decode them
   * one by one takes longer than to parse them.
   */
  #decodeLines(chunk: Uint8Array): DecodedLines {
    if (this.#frame !== undefined || this.#line.length > 0) return NO_LINES;
    const first = chunk.indexOf(NEWLINE);
    if (first === -1 || first === chunk.length - 1) return NO_LINES;
    const end = chunk.lastIndexOf(NEWLINE);
    try {
      return new DecodedLines(this.#decoder.decode(chunk.subarray(0, end + 1)));
    } catch {
      // Decoding the lines one by one finds the invalid one.
      return NO_LINES;
    }
  }

  /** Where the next bytes can be read into; undefined where a line follows. */
  get readTarget(): Uint8Array | undefined {
    return this.#frame?.payload.readTarget;
  }

  /**
   * Called when bytes have been read into {@linkcode FrameReader.readTarget}.
   *
   * @param count How many bytes were read.
   * @param onFrame Called if the frame is now complete.
   */
  commitRead(count: number, onFrame: OnFrame): void {
    this.#frame!.payload.commitRead(count);
    this.#endPayload(onFrame, true);
  }

  /** What moves the next bytes out of the pipe without reading them; undefined where they must be read. */
  get spliceTarget(): SpliceTarget | undefined {
    return this.#frame?.payload.spliceTarget;
  }

  /**
   * Called when bytes have been moved into {@linkcode FrameReader.spliceTarget}.
   *
   * @param onFrame Called if the frame is now complete.
   */
  commitSplice(onFrame: OnFrame): void {
    this.#endPayload(onFrame, true);
  }

  /** Passes the frame on if its payload is complete. */
  #endPayload(onFrame: OnFrame, isLast: boolean): void {
    const frame = this.#frame!;
    if (frame.payload.remaining > 0) return;
    this.#frame = undefined;
    onFrame(frame, isLast);
  }

  /** Whether a line with this first byte is text and not a message. */
  #isText(first: number | undefined): boolean {
    return this.#onText !== undefined && first !== undefined && first !== BEGIN;
  }

  #addText(line: Uint8Array): void {
    this.#limitText(line.length + 1);
    this.#textLength += line.length + 1;
    this.#onText!(line);
  }

  #limitText(added: number): void {
    if (this.#textLength + added > this.#limits.text) {
      throw new ProtocolError(
        `more than ${this.#limits.text} bytes on stdout are not messages`,
      );
    }
  }

  /** Returns the whole line whose end has arrived. */
  #takeLine(rest: Uint8Array): Uint8Array {
    if (this.#line.length === 0) return rest;
    this.#line.add(rest);
    return this.#line.drain();
  }

  #decode(line: Uint8Array): string {
    try {
      return this.#decoder.decode(line);
    } catch {
      throw new ProtocolError(
        `a line is not UTF-8: ${excerpt(new TextDecoder().decode(line))}`,
      );
    }
  }

  #parse(line: string, memory: number): Frame {
    let document: unknown;
    try {
      document = JSON.parse(line);
    } catch {
      throw new ProtocolError(`a line is not a message: ${excerpt(line)}`);
    }
    if (
      !isObject(document) || !Object.hasOwn(document, "json") ||
      !isObject(document.json)
    ) {
      throw new ProtocolError(`a line is not a message: ${excerpt(line)}`);
    }
    // A shorter line cannot contain enough brackets.
    if (
      line.length > 2 * this.#limits.depth &&
      isDeeperThan(this.#limits.depth, document)
    ) {
      throw new ProtocolError(
        `a message is nested deeper than ${this.#limits.depth} levels`,
      );
    }
    // Searched only if the line contains the key, or may contain it in escapes.
    if (
      (line.includes("__proto__") || line.includes("\\u")) &&
      hasProtoKey(document)
    ) {
      throw new ProtocolError('a message has a key "__proto__"');
    }
    const { json, meta } = document;
    if (json.bytes === undefined) {
      return { json, meta, payload: NO_PAYLOAD, memory };
    }
    const lengths = this.#parseLengths(json.bytes);
    let length = 0;
    for (const part of lengths) length += part;
    if (length > this.#limits.bytes) {
      throw new ProtocolError(
        `a message has ${length} bytes behind it, more than ${this.#limits.bytes}`,
      );
    }
    const payload = this.#payloadPolicy?.({ json, line, lengths, length }) ??
      new MemoryPayload(lengths.map((length) => new Uint8Array(length)));
    return { json, meta, payload, memory: memory + length };
  }

  #parseLengths(lengths: unknown): number[] {
    if (
      !Array.isArray(lengths) ||
      !lengths.every((length) => Number.isSafeInteger(length) && length >= 0)
    ) {
      throw new ProtocolError(
        "invalid message: `bytes` must be a list of lengths",
      );
    }
    if (lengths.length > this.#limits.parts) {
      throw new ProtocolError(
        `a message has more than ${this.#limits.parts} parts of bytes behind it`,
      );
    }
    return lengths;
  }
}

/** Searches without recursion, since the peer decides how deep the nesting is. */
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
