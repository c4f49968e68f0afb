// The two halves of what is below a connection: the transport, which it writes to,
// and the byte sink, which is itself, and gets what arrives.

/** What a connection writes to. */
export interface Transport {
  /**
   * Writes bytes behind all that was written before.
   *
   * @param bytes The bytes, which must not change until they are written.
   * @returns Nothing where they are written, or a promise of it.
   */
  write(bytes: Uint8Array): void | Promise<void>;
  /** The splice feature, where the transport can move bytes from pipe to pipe. */
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

/** This process's end of a pipe. */
export interface PipeEnd {
  /** Its file descriptor; null where it has none, or is closed. */
  readonly descriptor: number | null;
}

/** What moves bytes out of the pipe of a transport, without reading them. */
export interface SpliceTarget {
  /**
   * Moves bytes out of a pipe, without waiting for any.
   *
   * @param pipe The pipe.
   * @returns How many bytes were moved.
   */
  spliceFrom(pipe: PipeEnd): number;
}

/** A buffer in the kernel for a known number of bytes. */
export interface SpliceBuffer extends SpliceTarget {
  /** The number of bytes that it is for. */
  readonly length: number;
  /** How many of them have not arrived yet. */
  readonly remaining: number;
  /** Adds bytes that have been read into memory, which are copied. */
  append(bytes: Uint8Array): void;
  /**
   * Moves all bytes into a pipe, and releases the buffer.
   *
   * @param pipe The pipe.
   * @param write Writes to that pipe, and waits until there is room.
   */
  spliceTo(
    pipe: PipeEnd,
    write: (bytes: Uint8Array) => Promise<void>,
  ): Promise<void>;
  /** Releases the buffer, with what is in it. */
  release(): void;
}

/** The splice feature of a transport. */
export interface SpliceTransport {
  /**
   * Returns a buffer for bytes that the peer sends.
   *
   * @param length How many bytes these are.
   * @returns The buffer; undefined where splicing is impossible or not worthwhile.
   */
  acquire(length: number): SpliceBuffer | undefined;
  /**
   * Moves a buffer to the peer, behind all that was written before.
   *
   * @returns A promise of the end of the write; rejects if the peer has exited.
   */
  write(buffer: SpliceBuffer): Promise<void>;
}
