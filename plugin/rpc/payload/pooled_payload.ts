// Passing on: the answer to a call that is made for a third side only passes
// through here. Its bytes are in the same memory time and again, since fresh
// memory costs several times what is done with it, most of it later, when it
// is collected.

/** Of how many parts, and of how many bytes, the memory is kept: what a stream has in flight. */
const MOST_PARTS = 64;
const MOST_BYTES = 4 * 1024 * 1024;

/** Memory for the bytes of answers that come over one connection and pass through. */
export class BufferPool {
  #free: Uint8Array[] = [];
  #length = 0;

  /**
   * Memory with anything in it.
   *
   * @param length How long it is, in bytes: to the byte, since the one at the
   * other end may look at the whole of it.
   */
  acquire(length: number): Uint8Array {
    const index = this.#free.findIndex((part) => part.length === length);
    if (index === -1) return new Uint8Array(length);
    this.#length -= length;
    return this.#free.splice(index, 1)[0]!;
  }

  /** Takes memory back that nobody looks at any more. */
  release(parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      if (part.length === 0 || part.length > MOST_BYTES) continue;
      this.#free.push(part);
      this.#length += part.length;
      while (this.#length > MOST_BYTES || this.#free.length > MOST_PARTS) {
        this.#length -= this.#free.shift()!.length;
      }
    }
  }
}

/** A value that passes through, in memory that is wanted back. */
export class ForwardedValue {
  /** The value. */
  readonly value: unknown;
  /** Takes that it has been sent, and is not looked at any more. */
  readonly onSent: () => void;

  /**
   * @param value The value.
   * @param sent Called when it has been sent, and is not looked at any more.
   */
  constructor(value: unknown, sent: () => void) {
    this.value = value;
    this.onSent = sent;
  }
}
