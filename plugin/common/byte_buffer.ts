// A buffer that bytes are added to, whatever the size of the pieces: memory
// and time grow with the bytes alone.

const SMALLEST = 1024;

/** How much memory is used again. */
const LARGEST_KEPT = 2 * 1024 * 1024;

/** Bytes that come piece by piece, until they are taken as a whole. */
export class ByteBuffer {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #length = 0;

  /** How many bytes there are. */
  get length(): number {
    return this.#length;
  }

  /** The first byte; undefined when there is none. */
  get first(): number | undefined {
    return this.#length === 0 ? undefined : this.#bytes[0];
  }

  /** Adds a copy of a piece. */
  add(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#bytes.length) {
      const bytes = new Uint8Array(
        Math.max(SMALLEST, length, 2 * this.#bytes.length),
      );
      bytes.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = bytes;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = length;
  }

  /** All bytes, to look at; they may change with the next piece. */
  peek(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** All bytes, to look at until the next piece comes; none are left. */
  drain(): Uint8Array<ArrayBuffer> {
    const bytes = this.peek();
    if (this.#bytes.length > LARGEST_KEPT) this.#bytes = new Uint8Array(0);
    this.#length = 0;
    return bytes;
  }

  /** All bytes; none are left. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.peek();
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
    return bytes;
  }
}
