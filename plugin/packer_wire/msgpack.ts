// MessagePack as github.com/ugorji/go/codec writes and reads it for Packer.
// The decoder takes values that come back to back in pieces of any size.

import { ProtocolError } from "../rpc/protocol.ts";
import { DEFAULT_WIRE_LIMITS, type WireLimits } from "./limits.ts";
import { MsgpackExtension, readValue } from "./msgpack_reader.ts";

export { encodeMsgpack, Float64 } from "./msgpack_writer.ts";
export { MsgpackExtension };

/** How much memory is kept for the next value. */
const MAX_KEPT_BYTES = 1024 * 1024;

const SMALLEST_BUFFER_BYTES = 1024;

/** What the decoder limits. */
export type MsgpackLimits = Pick<
  WireLimits,
  "messageBytes" | "depth" | "values"
>;

/**
 * Decodes values that come in pieces. Each byte is looked at twice, however
 * small the pieces are: once to find where a value ends, once to read it. The
 * limits are checked in the first pass, before memory is taken.
 */
export class MsgpackDecoder {
  readonly #limits: MsgpackLimits;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  /** Where the current value starts. */
  #start = 0;
  /** Up to where it was scanned. */
  #scanned = 0;
  /** Up to where there are bytes. */
  #end = 0;
  /** How many values are missing in each list or map that is open, outermost first. */
  readonly #open: number[] = [];
  /** How many values the current one has or says it has. */
  #values = 0;

  /**
   * @param limits The most that is accepted of one value.
   */
  constructor(limits: Partial<MsgpackLimits> = {}) {
    this.#limits = { ...DEFAULT_WIRE_LIMITS, ...limits };
  }

  /** How many bytes wait for the rest of their value. */
  get waitingBytes(): number {
    return this.#end - this.#start;
  }

  /** Adds a copy of the next bytes. */
  push(bytes: Uint8Array): void {
    if (this.#end + bytes.length > this.#bytes.length) {
      this.#makeRoom(bytes.length);
    }
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /**
   * Takes the next value.
   *
   * @param maxBytes The longest that it may be; the limit's unless given.
   * @returns The value in an object; undefined until all of it has come.
   * @throws {ProtocolError} When it is not valid, or larger than the limits.
   */
  next(
    maxBytes: number = this.#limits.messageBytes,
  ): { value: unknown } | undefined {
    if (!this.#scan(maxBytes)) return undefined;
    const value = readValue(
      this.#bytes,
      this.#view,
      this.#start,
      this.#scanned,
    );
    this.#start = this.#scanned;
    this.#values = 0;
    if (this.#start === this.#end) {
      this.#start = this.#scanned = this.#end = 0;
      if (this.#bytes.length > MAX_KEPT_BYTES) this.#replace(new Uint8Array(0));
    }
    return { value };
  }

  #makeRoom(count: number): void {
    const length = this.#end - this.#start;
    const needed = length + count;
    // Moving is cheap when at least as much is free in front as is moved.
    const bytes = needed <= this.#bytes.length && this.#start >= length
      ? this.#bytes
      : new Uint8Array(
        Math.max(SMALLEST_BUFFER_BYTES, needed, 2 * length),
      );
    bytes.set(this.#bytes.subarray(this.#start, this.#end));
    this.#replace(bytes);
    this.#scanned -= this.#start;
    this.#end = length;
    this.#start = 0;
  }

  #replace(bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes === this.#bytes) return;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  /** Goes on to the end of the current value; false when it has not come yet. */
  #scan(maxBytes: number): boolean {
    for (;;) {
      const at = this.#scanned;
      if (at >= this.#end) return false;
      const type = this.#bytes[at]!;
      const lengthBytes = LENGTH_BYTES[type]!;
      const head = 1 + lengthBytes;
      if (at + head > this.#end) return false;
      const fixed = FIXED_BYTES[type]!;
      if (fixed === INVALID) {
        throw new ProtocolError(
          "msgpack has a byte 0xc1, which means nothing",
        );
      }
      const length = lengthBytes === 0
        ? 0
        : lengthBytes === 1
        ? this.#view.getUint8(at + 1)
        : lengthBytes === 2
        ? this.#view.getUint16(at + 1)
        : this.#view.getUint32(at + 1);
      const children = CHILDREN[type]!;
      // A list or map has a count where others have a length.
      const size = head + fixed + (children === NONE ? length : 0);
      if (at - this.#start + size > maxBytes) {
        throw new ProtocolError(
          `a message is longer than ${maxBytes} bytes`,
        );
      }
      if (at + size > this.#end) return false;
      this.#scanned = at + size;
      const count = children === NONE
        ? 0
        : children >= 0
        ? children
        : length * -children;
      if (count > 0) {
        this.#openContainer(count);
        continue;
      }
      const open = this.#open;
      while (open.length > 0 && --open[open.length - 1]! === 0) open.pop();
      if (open.length === 0) return true;
    }
  }

  #openContainer(count: number): void {
    this.#values += count;
    if (this.#values > this.#limits.values) {
      throw new ProtocolError(
        `a message has more than ${this.#limits.values} values`,
      );
    }
    this.#open.push(count);
    if (this.#open.length > this.#limits.depth) {
      throw new ProtocolError(
        `a message is nested deeper than ${this.#limits.depth}`,
      );
    }
  }
}

/** {@linkcode CHILDREN} of a value that is no list or map. */
const NONE = 127;
const INVALID = 255;

/** By its first byte: how many bytes of length or count follow it. */
const LENGTH_BYTES = new Uint8Array(256);
/** How many bytes of content follow in any case. */
const FIXED_BYTES = new Uint8Array(256);
/** How many values are in it; -1 or -2 for one or two a counted item. */
const CHILDREN = new Int8Array(256).fill(NONE);

for (let length = 0; length < 16; length++) {
  CHILDREN[0x80 + length] = 2 * length;
  CHILDREN[0x90 + length] = length;
}
for (let length = 0; length < 32; length++) FIXED_BYTES[0xa0 + length] = length;
FIXED_BYTES[0xc1] = INVALID;
// bin, ext, str, list and map with lengths of 1, 2 or 4 bytes.
for (const [first, count] of [[0xc4, 3], [0xc7, 3], [0xd9, 3]] as const) {
  for (let index = 0; index < count; index++) {
    LENGTH_BYTES[first + index] = 2 ** index;
  }
}
for (const type of [0xc7, 0xc8, 0xc9]) FIXED_BYTES[type] = 1;
for (const [type, perItem] of [[0xdc, -1], [0xde, -2]] as const) {
  LENGTH_BYTES[type] = 2;
  LENGTH_BYTES[type + 1] = 4;
  CHILDREN[type] = CHILDREN[type + 1] = perItem;
}
// Floats, unsigned and signed integers, and ext of fixed lengths.
FIXED_BYTES.set([4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17], 0xca);
