// Payloads: the raw bytes behind the line of a message, in one of three places:
// in memory, in memory from a pool, or in a pipe of the kernel. A payload that is
// not kept here, but forwarded over another connection, may be in any of them.

import type { WireMessage } from "../message.ts";
import type { SendBuffer } from "../send_buffer.ts";
import type { SpliceTarget, SpliceTransport } from "../transport.ts";

/** The bytes behind one line, while they arrive and afterwards. */
export interface Payload {
  /** How many bytes have not arrived yet. */
  readonly remaining: number;
  /** The parts that the bytes are in; none where the payload is opaque. */
  readonly parts: readonly Uint8Array[];
  /**
   * Whether the bytes do not enter the memory of this process. The message is
   * then forwarded without being decoded.
   */
  readonly isOpaque: boolean;
  /** Where the next bytes can be read into; undefined where they cannot, or none follow. */
  readonly readTarget: Uint8Array | undefined;
  /** Called when bytes have been read into {@linkcode Payload.readTarget}. */
  commitRead(count: number): void;
  /** Adds bytes, which are copied. They are at most the remaining ones. */
  append(bytes: Uint8Array): void;
  /** What moves the next bytes out of a pipe without reading them; undefined where that is impossible. */
  readonly spliceTarget: SpliceTarget | undefined;
  /**
   * Returns the result of a forwarded call.
   *
   * @param value The decoded result, which refers to the parts.
   * @param isUnreferenced Whether nothing but the value refers to the parts.
   * @returns A {@linkcode ForwardedResult}, or a value to be sent like any other.
   */
  forward(value: unknown, isUnreferenced: boolean): unknown;
  /** Called when the rest of the bytes will not arrive. */
  discard(): void;
}

/** A message whose payload follows. Nothing of it has been validated but the lengths. */
export interface PayloadHeader {
  /** The message. */
  readonly json: Record<string, unknown>;
  /** The line, without its end. */
  readonly line: string;
  /** The length of each part, in bytes. */
  readonly lengths: readonly number[];
  /** The sum of the lengths. */
  readonly length: number;
}

/** Chooses where a payload is stored; returns undefined where it leaves that to others. */
export type PayloadPolicy = (header: PayloadHeader) => Payload | undefined;

/** The result of a call that was made for another connection, over which it is sent. */
export abstract class ForwardedResult {
  /**
   * Sends the result as the response to a call, or discards it if the
   * connection is closed.
   *
   * @param call The number of the call.
   * @param sender The connection that it came over.
   */
  abstract sendTo(call: number, sender: ResultSender): void;
}

/** The connection over which a result is sent. */
export interface ResultSender {
  /** Whether the connection is open. */
  readonly isOpen: boolean;
  /** Messages on their way to the peer. */
  readonly sendBuffer: SendBuffer;
  /** How the peer gets bytes that are in a pipe. */
  readonly splice: SpliceTransport | undefined;
  /** Sends a message; does nothing if the connection is closed. */
  send(message: WireMessage): void;
}
