// Writes values as MessagePack, in the smallest form of each.

/** A number that is written as a float even when it has no fraction, as Go's JSON numbers are. */
export class Float64 {
  /**
   * @param value The number.
   */
  constructor(readonly value: number) {}
}

/** Deeper values cannot be meant: most likely one contains itself. */
const MAX_DEPTH = 1000;

const FIRST_BUFFER_BYTES = 256;

const encoder = new TextEncoder();

/**
 * Encodes a value.
 *
 * @param value What JSON has, and undefined (as nil), bigint, Uint8Array, Date (as a string) and {@linkcode Float64}.
 * @throws {TypeError} When it has a function or symbol, a bigint beyond 64 bits, or is too deep.
 */
export function encodeMsgpack(value: unknown): Uint8Array {
  const writer = new Writer();
  writer.write(value, 0);
  return writer.take();
}

/** Encodes values back to back, as calls are sent. */
export function encodeAll(...values: unknown[]): Uint8Array {
  const writer = new Writer();
  for (const value of values) writer.write(value, 0);
  return writer.take();
}

class Writer {
  #bytes = new Uint8Array(FIRST_BUFFER_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  take(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  write(value: unknown, depth: number): void {
    switch (typeof value) {
      case "undefined":
        return this.#byte(0xc0);
      case "boolean":
        return this.#byte(value ? 0xc3 : 0xc2);
      case "number":
        return this.#number(value);
      case "bigint":
        return this.#bigint(value);
      case "string":
        return this.#string(value);
      case "object":
        return this.#object(value, depth);
      default:
        throw new TypeError(`a ${typeof value} cannot be sent to Packer`);
    }
  }

  #object(value: object | null, depth: number): void {
    if (value === null) return this.#byte(0xc0);
    if (depth >= MAX_DEPTH) {
      throw new TypeError(
        `a value nested deeper than ${MAX_DEPTH} cannot be sent to Packer`,
      );
    }
    if (value instanceof Uint8Array) return this.#binary(value);
    if (value instanceof Float64) return this.#float(value.value);
    if (Array.isArray(value)) {
      this.#head(value.length, 0x90, 15, 0, 0xdc);
      for (const item of value) this.write(item, depth + 1);
      return;
    }
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === "function") {
      return this.write(toJSON.call(value), depth + 1);
    }
    const entries =
      (value instanceof Map
        ? [...value].map(([key, item]) => [String(key), item] as const)
        : Object.entries(value)).filter(([, item]) => item !== undefined);
    this.#head(entries.length, 0x80, 15, 0, 0xde);
    for (const [key, item] of entries) {
      this.#string(key);
      this.write(item, depth + 1);
    }
  }

  #number(value: number): void {
    if (!Number.isInteger(value) || Object.is(value, -0)) {
      return this.#float(value);
    }
    if (value >= 0) {
      if (value < 0x80) return this.#byte(value);
      if (value < 0x100) return this.#sized(0xcc, 1, value);
      if (value < 0x10000) return this.#sized(0xcd, 2, value);
      if (value < 2 ** 32) return this.#sized(0xce, 4, value);
    } else {
      if (value >= -0x20) return this.#byte(value + 0x100);
      if (value >= -0x80) return this.#sized(0xd0, 1, value);
      if (value >= -0x8000) return this.#sized(0xd1, 2, value);
      if (value >= -(2 ** 31)) return this.#sized(0xd2, 4, value);
    }
    if (!Number.isSafeInteger(value)) return this.#float(value);
    this.#bigint(BigInt(value));
  }

  #bigint(value: bigint): void {
    if (value >= -(2n ** 31n) && value < 2n ** 32n) {
      return this.#number(Number(value));
    }
    if (value >= 2n ** 64n || value < -(2n ** 63n)) {
      throw new TypeError(
        `${value} has more than the 64 bits that can be sent to Packer`,
      );
    }
    const at = this.#room(9);
    this.#bytes[at] = value < 0n ? 0xd3 : 0xcf;
    this.#view.setBigUint64(at + 1, BigInt.asUintN(64, value));
  }

  #float(value: number): void {
    const at = this.#room(9);
    this.#bytes[at] = 0xcb;
    this.#view.setFloat64(at + 1, value);
  }

  #string(text: string): void {
    // A UTF-16 unit takes three bytes at the most.
    if (text.length <= 10) {
      const at = this.#room(1 + 3 * text.length);
      const { written } = encoder.encodeInto(
        text,
        this.#bytes.subarray(at + 1),
      );
      this.#bytes[at] = 0xa0 | written;
      this.#length = at + 1 + written;
      return;
    }
    const bytes = encoder.encode(text);
    this.#head(bytes.length, 0xa0, 31, 0xd9, 0xda);
    this.#append(bytes);
  }

  #binary(bytes: Uint8Array): void {
    // A length of 16 bits has its type one behind that of 8 bits.
    this.#head(bytes.length, 0, -1, 0xc4, 0xc5);
    this.#append(bytes);
  }

  /** Writes a length: in the type itself, or in 1, 2 or 4 bytes behind it. 0 where there is no type for 1 byte. */
  #head(
    length: number,
    fix: number,
    fixMost: number,
    type8: number,
    type16: number,
  ): void {
    if (length <= fixMost) return this.#byte(fix | length);
    if (type8 !== 0 && length < 0x100) return this.#sized(type8, 1, length);
    if (length < 0x10000) return this.#sized(type16, 2, length);
    this.#sized(type16 + 1, 4, length);
  }

  #byte(byte: number): void {
    const at = this.#room(1);
    this.#bytes[at] = byte;
  }

  /** Writes a type and a number of some bytes; a negative one in two's complement. */
  #sized(type: number, count: 1 | 2 | 4, value: number): void {
    const at = this.#room(1 + count);
    this.#bytes[at] = type;
    if (count === 1) this.#view.setUint8(at + 1, value);
    else if (count === 2) this.#view.setUint16(at + 1, value);
    else this.#view.setUint32(at + 1, value);
  }

  #append(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Makes room for bytes, and returns where; `#bytes` is another array then. */
  #room(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const bytes = new Uint8Array(
        Math.max(this.#length, 2 * this.#bytes.length),
      );
      bytes.set(this.#bytes.subarray(0, at));
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer);
    }
    return at;
  }
}
