// A growing buffer: memory and time grow with the number of bytes, whatever the
// size of the chunks in which they are added.

/** The smallest allocation. */
const MIN_CAPACITY_BYTES = 1024;

/** The largest allocation that {@linkcode ByteBuffer.drain} keeps for reuse. */
const MAX_REUSED_BYTES = 2 * 1024 * 1024;

/** Collects chunks of bytes until they are read as a whole. */
export class ByteBuffer {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #length = 0;

  /** The number of bytes. */
  get length(): number {
    return this.#length;
  }

  /** The first byte; undefined when the buffer is empty. */
  get first(): number | undefined {
    return this.#length === 0 ? undefined : this.#bytes[0];
  }

  /** Appends a copy of a chunk. */
  add(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#bytes.length) {
      const bytes = new Uint8Array(
        Math.max(MIN_CAPACITY_BYTES, length, 2 * this.#bytes.length),
      );
      bytes.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = bytes;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = length;
  }

  /** Returns a view of all bytes, valid until the next chunk is added. */
  peek(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Empties the buffer, and returns a view of its bytes, valid until the next chunk is added. */
  drain(): Uint8Array<ArrayBuffer> {
    const bytes = this.peek();
    if (this.#bytes.length > MAX_REUSED_BYTES) this.#bytes = new Uint8Array(0);
    this.#length = 0;
    return bytes;
  }

  /** Empties the buffer, and returns its bytes, which are the caller's to keep. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.peek();
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
    return bytes;
  }
}
