// The two halves of what is below a connection: the transport, which it writes to,
// and the byte sink, which is itself, and gets what arrives.

import type {
  SpliceTarget,
  SpliceTransport,
} from "./payload/spliced_payload.ts";

/** What a connection writes to. */
export interface Transport {
  /**
   * Writes bytes behind all that was written before.
   *
   * @param bytes The bytes, which must not change until they are written.
   * @returns Nothing where they are written, or a promise of it.
   */
  write(bytes: Uint8Array): void | Promise<void>;
  /** Moves payloads from pipe to pipe, where the transport can. */
  readonly splice?: SpliceTransport | undefined;
}

/** What takes the bytes that arrive: a {@linkcode Connection}. */
export interface ByteSink {
  /**
   * Adds the next bytes.
   *
   * @param chunk Any number of them; the memory may be reused after the call.
   */
  receive(chunk: Uint8Array): void;
  /**
   * Where the next bytes can be read into instead, without being copied
   * afterwards; undefined where they must be passed to `receive`.
   */
  readonly readTarget: Uint8Array | undefined;
  /**
   * Called when bytes have been read into `readTarget`.
   *
   * @param count How many bytes were read.
   */
  commitRead(count: number): void;
  /** What moves the next bytes out of a pipe instead, without reading them; undefined where they must be read. */
  readonly spliceTarget: SpliceTarget | undefined;
}
