// The parts of Go's encoding/gob that Packer's wire needs: its numbers, texts
// and messages, the status of a command, and a reader for the tests of specs.

import { ProtocolError } from "../rpc/protocol.ts";

/** The ids that gob gives its own types. */
export const GobType = {
  Bool: 1,
  Int: 2,
  Uint: 3,
  String: 6,
  Interface: 8,
} as const;

/** The first id for types of one's own, in each stream. */
export const FIRST_GOB_TYPE = 65;

const encoder = new TextEncoder();

/** An unsigned integer: itself below 128, else its length and its bytes. */
export function gobUint(value: number): number[] {
  if (value < 128) return [value];
  const bytes: number[] = [];
  for (let left = value; left > 0; left = Math.floor(left / 256)) {
    bytes.unshift(left % 256);
  }
  return [256 - bytes.length, ...bytes];
}

/** A signed integer: an unsigned one whose lowest bit is the sign. */
export function gobInt(value: number): number[] {
  return gobUint(value < 0 ? -2 * value - 1 : 2 * value);
}

/** Bytes, or a text in UTF-8, behind their length. */
export function gobBytes(content: string | Iterable<number>): number[] {
  const bytes = typeof content === "string"
    ? encoder.encode(content)
    : [...content];
  return [...gobUint(bytes.length), ...bytes];
}

/** A message: its length and what it is made of. */
export const gobMessage = (...parts: number[][]): number[] =>
  gobBytes(parts.flat());

/** The definition of a struct type, as a message. */
export function defineStruct(
  id: number,
  name: string,
  fields: readonly (readonly [name: string, type: number])[],
): number[] {
  return gobMessage(
    gobInt(-id),
    // wireType's third field: StructType{CommonType{Name, Id}, Fields}.
    [3, 1, 1],
    gobBytes(name),
    [1],
    gobInt(id),
    [0, 1],
    gobUint(fields.length),
    ...fields.flatMap((
      [name, type],
    ) => [[1], gobBytes(name), [1], gobInt(type), [0]]),
    [0, 0],
  );
}

/** The definition of a map type, as a message. */
export function defineMap(
  id: number,
  name: string,
  key: number,
  element: number,
): number[] {
  return gobMessage(
    gobInt(-id),
    // wireType's fourth field: MapType{CommonType{Name, Id}, Key, Elem}.
    [4, 1, 1],
    gobBytes(name),
    [1],
    gobInt(id),
    [0, 1],
    gobInt(key),
    [1],
    gobInt(element),
    [0, 0],
  );
}

/** The definition of a type that encodes itself, as a message. */
export function defineGobEncoder(id: number, name: string): number[] {
  return gobMessage(
    gobInt(-id),
    // wireType's fifth field: GobEncoderType{CommonType{Name, Id}}.
    [5, 1, 1],
    gobBytes(name),
    [1],
    gobInt(id),
    [0, 0, 0],
  );
}

/** A value in an interface: the name of its type, its id, and its bytes behind their length. */
export function gobInterface(
  name: string,
  id: number,
  ...value: number[][]
): number[] {
  return [...gobBytes(name), ...gobInt(id), ...gobBytes(value.flat())];
}

/**
 * The message with which a communicator tells that a command has ended:
 * `CommandFinished{ExitStatus int}`.
 *
 * @param exitStatus The command's exit status.
 */
export function encodeCommandFinished(exitStatus: number): Uint8Array {
  const id = FIRST_GOB_TYPE;
  return Uint8Array.from([
    ...defineStruct(id, "CommandFinished", [["ExitStatus", GobType.Int]]),
    ...gobMessage(
      gobInt(id),
      // Gob leaves out fields that are zero.
      exitStatus === 0 ? [] : [1, ...gobInt(exitStatus)],
      [0],
    ),
  ]);
}

/** The longest that {@linkcode decodeCommandFinished} reads, in bytes. */
export const MAX_COMMAND_FINISHED_BYTES: number = 4 * 1024;

/**
 * Reads the message of {@linkcode encodeCommandFinished}.
 *
 * @param bytes What has come so far.
 * @returns The exit status; undefined while the message is not complete.
 * @throws {ProtocolError} When it is no such message.
 */
export function decodeCommandFinished(bytes: Uint8Array): number | undefined {
  if (bytes.length > MAX_COMMAND_FINISHED_BYTES) {
    throw new ProtocolError("the status of a command is too long");
  }
  try {
    for (const reader = new GobReader(bytes);;) {
      const message = new GobReader(reader.bytes());
      // Definitions come first, and are known.
      if (message.int() < 0) continue;
      const field = message.uint();
      if (field > 1) {
        throw new ProtocolError("the status of a command has other fields");
      }
      return field === 0 ? 0 : message.int();
    }
  } catch (error) {
    if (error instanceof GobEndError) return undefined;
    throw error;
  }
}

/** The bytes end before the value does. */
class GobEndError extends Error {}

/** Reads gob's numbers and bytes one after the other. */
export class GobReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  /**
   * @param bytes What is read.
   */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** An unsigned integer. */
  uint(): number {
    const first = this.#take(1)[0]!;
    if (first < 128) return first;
    const length = 256 - first;
    if (length > 8) {
      throw new ProtocolError("a gob number has more than 8 bytes");
    }
    return this.#take(length).reduce((value, byte) => value * 256 + byte, 0);
  }

  /** A signed integer. */
  int(): number {
    const value = this.uint();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }

  /** Bytes behind their length. */
  bytes(): Uint8Array {
    return this.#take(this.uint());
  }

  #take(count: number): Uint8Array {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw new GobEndError();
    this.#at += count;
    return this.#bytes.subarray(at, this.#at);
  }
}
