// Buffers: typed arrays, ArrayBuffer and DataView. They are sent as their raw bytes,
// little-endian.

import { describeValue, ProtocolError } from "./protocol.ts";

type BufferType = new (buffer: ArrayBuffer) => ArrayBufferView;

const TYPES: Readonly<Record<string, BufferType>> = {
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
  Float32Array,
  Float64Array,
  DataView,
};

/** Returns the name of a buffer's type; undefined for any other value. */
export function bufferType(value: object): string | undefined {
  if (value instanceof ArrayBuffer) return "ArrayBuffer";
  if (!ArrayBuffer.isView(value)) return undefined;
  return Object.keys(TYPES).find((name) => value instanceof TYPES[name]!);
}

/** Returns the bytes of a buffer, as a view. */
export function bufferBytes(value: object): Uint8Array {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  const { buffer, byteOffset, byteLength } = value as ArrayBufferView;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Decodes the buffers of one message. */
export class BufferReader {
  /** One buffer for all occurrences of the same bytes. */
  readonly #buffers = new Map<Uint8Array, ArrayBuffer>();
  readonly #views = new Map<string, Map<Uint8Array, object>>();

  /**
   * Returns the buffer that was sent: the same object for the same bytes and type.
   *
   * @param type The name of its type.
   * @param bytes Its bytes, which are copied.
   * @throws {ProtocolError} When the type is unknown, or the length is no
   * multiple of the size of its numbers.
   */
  read(type: unknown, bytes: Uint8Array): object {
    let buffer = this.#buffers.get(bytes);
    if (buffer === undefined) {
      // A copy, since a typed array must be aligned to the size of its numbers.
      buffer = bytes.slice().buffer as ArrayBuffer;
      this.#buffers.set(bytes, buffer);
    }
    if (type === "ArrayBuffer") return buffer;
    if (typeof type !== "string" || !Object.hasOwn(TYPES, type)) {
      throw new ProtocolError(
        `there is no buffer of type ${describeValue(type)}`,
      );
    }
    let views = this.#views.get(type);
    if (views === undefined) this.#views.set(type, views = new Map());
    let view = views.get(bytes);
    if (view === undefined) {
      view = viewOf(type, buffer);
      views.set(bytes, view);
    }
    return view;
  }
}

function viewOf(type: string, buffer: ArrayBuffer): object {
  try {
    return new TYPES[type]!(buffer);
  } catch {
    throw new ProtocolError(
      `a ${type} cannot have a length of ${buffer.byteLength} bytes`,
    );
  }
}
