// Reads a MessagePack value that is there as a whole and was checked against
// the limits.

import { ProtocolError } from "../rpc/protocol.ts";

/** An extension type that has no meaning here. */
export class MsgpackExtension {
  /**
   * @param type Its number.
   * @param data Its content.
   */
  constructor(readonly type: number, readonly data: Uint8Array) {}
}

/** A string up to this length is decoded without TextDecoder, which costs more than it. */
const SHORT_STRING_BYTES = 64;

const decoder = new TextDecoder();

/**
 * Reads one value.
 *
 * @param bytes Has the value, complete.
 * @param view The same bytes.
 * @param start Where it starts.
 * @param end Where it ends.
 * @returns null, a boolean, number, bigint, string, Uint8Array, Date, MsgpackExtension, array or object.
 * @throws {ProtocolError} When a key of a map is a list or a map.
 */
export function readValue(
  bytes: Uint8Array<ArrayBuffer>,
  view: DataView,
  start: number,
  end: number,
): unknown {
  return new Reader(bytes, view, start, end).read();
}

class Reader {
  constructor(
    readonly bytes: Uint8Array<ArrayBuffer>,
    readonly view: DataView,
    public at: number,
    readonly end: number,
  ) {}

  read(): unknown {
    const { view } = this;
    const type = view.getUint8(this.at++);
    if (type < 0x80) return type;
    if (type < 0x90) return this.#map(type & 0x0f);
    if (type < 0xa0) return this.#list(type & 0x0f);
    if (type < 0xc0) return this.#string(type & 0x1f);
    if (type >= 0xe0) return type - 0x100;
    switch (type) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.#take(this.#uint(1)).slice();
      case 0xc5:
        return this.#take(this.#uint(2)).slice();
      case 0xc6:
        return this.#take(this.#uint(4)).slice();
      case 0xc7:
        return this.#extension(this.#uint(1));
      case 0xc8:
        return this.#extension(this.#uint(2));
      case 0xc9:
        return this.#extension(this.#uint(4));
      case 0xca:
        return view.getFloat32(this.#skip(4));
      case 0xcb:
        return view.getFloat64(this.#skip(8));
      case 0xcc:
        return this.#uint(1);
      case 0xcd:
        return this.#uint(2);
      case 0xce:
        return this.#uint(4);
      case 0xcf:
        return safeNumber(view.getBigUint64(this.#skip(8)));
      case 0xd0:
        return view.getInt8(this.#skip(1));
      case 0xd1:
        return view.getInt16(this.#skip(2));
      case 0xd2:
        return view.getInt32(this.#skip(4));
      case 0xd3:
        return safeNumber(view.getBigInt64(this.#skip(8)));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(2 ** (type - 0xd4));
      case 0xd9:
        return this.#string(this.#uint(1));
      case 0xda:
        return this.#string(this.#uint(2));
      case 0xdb:
        return this.#string(this.#uint(4));
      case 0xdc:
        return this.#list(this.#uint(2));
      case 0xdd:
        return this.#list(this.#uint(4));
      case 0xde:
        return this.#map(this.#uint(2));
      default:
        return this.#map(this.#uint(4));
    }
  }

  #skip(count: number): number {
    const { at } = this;
    this.at += count;
    return at;
  }

  #uint(count: 1 | 2 | 4): number {
    const at = this.#skip(count);
    return count === 1
      ? this.view.getUint8(at)
      : count === 2
      ? this.view.getUint16(at)
      : this.view.getUint32(at);
  }

  #take(count: number): Uint8Array<ArrayBuffer> {
    const at = this.#skip(count);
    return this.bytes.subarray(at, at + count);
  }

  #string(length: number): string {
    const { bytes, at } = this;
    this.at += length;
    if (length > SHORT_STRING_BYTES) {
      return decoder.decode(bytes.subarray(at, at + length));
    }
    let text = "";
    for (let index = at; index < at + length; index++) {
      const byte = bytes[index]!;
      if (byte >= 0x80) return decoder.decode(bytes.subarray(at, at + length));
      text += String.fromCharCode(byte);
    }
    return text;
  }

  #list(length: number): unknown[] {
    const list: unknown[] = [];
    for (let index = 0; index < length; index++) list.push(this.read());
    return list;
  }

  #map(length: number): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    for (let index = 0; index < length; index++) {
      const key = keyOf(this.read());
      const value = this.read();
      if (key === "__proto__") {
        // An assignment would replace the prototype.
        Object.defineProperty(map, key, {
          value,
          writable: true,
          enumerable: true,
          configurable: true,
        });
      } else map[key] = value;
    }
    return map;
  }

  #extension(length: number): Date | MsgpackExtension {
    const type = this.view.getInt8(this.#skip(1));
    const data = this.#take(length).slice();
    return (type === TIMESTAMP ? timestampOf(data) : undefined) ??
      new MsgpackExtension(type, data);
  }
}

const TIMESTAMP = -1;

/** The time in a timestamp of 4, 8 or 12 bytes; undefined when it is none. */
function timestampOf(data: Uint8Array<ArrayBuffer>): Date | undefined {
  const view = new DataView(data.buffer);
  const date = (seconds: number, nanoseconds: number) =>
    new Date(seconds * 1000 + Math.floor(nanoseconds / 1e6));
  switch (data.length) {
    case 4:
      return date(view.getUint32(0), 0);
    case 8:
      return date(
        (view.getUint32(0) & 3) * 2 ** 32 + view.getUint32(4),
        view.getUint32(0) >>> 2,
      );
    case 12:
      return date(Number(view.getBigInt64(4)), view.getUint32(0));
    default:
      return undefined;
  }
}

/** A number where it is exact, else the bigint. */
function safeNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function keyOf(key: unknown): string {
  if (typeof key === "string") return key;
  if (key instanceof Uint8Array) return decoder.decode(key);
  if (typeof key === "object" && key !== null) {
    throw new ProtocolError(
      "a map in a message has a key that is no string",
    );
  }
  return String(key);
}
