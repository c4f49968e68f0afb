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

/**
 * The buffer that was sent.
 *
 * @param type The name of its type.
 * @param bytes Its bytes.
 * @throws {ProtocolError} When they do not go together.
 */
export function bufferOf(type: unknown, bytes: Uint8Array): object {
  // A copy, aligned for whatever it holds.
  const { buffer } = bytes.slice();
  if (type === "ArrayBuffer") return buffer;
  if (typeof type !== "string" || !Object.hasOwn(TYPES, type)) {
    throw new ProtocolError(
      `there is no buffer of type ${describeValue(type)}`,
    );
  }
  try {
    return new TYPES[type]!(buffer as ArrayBuffer);
  } catch {
    throw new ProtocolError(
      `a ${type} cannot have a length of ${bytes.length} bytes`,
    );
  }
}
