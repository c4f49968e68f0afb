// Buffers: arrays of numbers and their like, sent as the raw bytes that they
// are, little-endian, whatever numbers are in them.

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

/** The name of a buffer's type, or undefined when it is none of those that are sent. */
export function bufferType(value: object): string | undefined {
  if (value instanceof ArrayBuffer) return "ArrayBuffer";
  if (!ArrayBuffer.isView(value)) return undefined;
  return Object.keys(TYPES).find((name) => value instanceof TYPES[name]!);
}

/** The bytes of a buffer. */
export function bufferBytes(value: object): Uint8Array {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  const { buffer, byteOffset, byteLength } = value as ArrayBufferView;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Makes the buffers of one message. */
export class BufferReader {
  /** One buffer for all places that name the same bytes, which are not copied for each. */
  readonly #buffers = new Map<Uint8Array, ArrayBuffer>();
  readonly #views = new Map<string, Map<Uint8Array, object>>();

  /**
   * The buffer that was sent. The same bytes and type give the same object.
   *
   * @param type The name of its type.
   * @param bytes Its bytes.
   * @throws {ProtocolError} When they do not go together.
   */
  read(type: unknown, bytes: Uint8Array): object {
    let buffer = this.#buffers.get(bytes);
    if (buffer === undefined) {
      // A copy, aligned for whatever it holds.
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
