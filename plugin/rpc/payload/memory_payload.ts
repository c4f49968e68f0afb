// Payloads in memory: each part is an array of its own.

import type { Payload } from "./payload.ts";

/** A payload in memory. */
export class MemoryPayload implements Payload {
  readonly parts: readonly Uint8Array[];
  readonly isOpaque = false;
  readonly spliceTarget = undefined;
  #remaining = 0;
  /** The part that the next byte belongs to, and the position in it. */
  #part = 0;
  #position = 0;

  /** @param parts The memory for each part. */
  constructor(parts: readonly Uint8Array[]) {
    this.parts = parts;
    for (const part of parts) this.#remaining += part.length;
  }

  get remaining(): number {
    return this.#remaining;
  }

  get readTarget(): Uint8Array | undefined {
    return this.#remaining === 0
      ? undefined
      : this.#current().subarray(this.#position);
  }

  commitRead(count: number): void {
    this.#position += count;
    this.#remaining -= count;
  }

  append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const part = this.#current();
      const count = Math.min(part.length - this.#position, bytes.length - at);
      part.set(
        count === bytes.length ? bytes : bytes.subarray(at, at + count),
        this.#position,
      );
      at += count;
      this.commitRead(count);
    }
  }

  /** The part that the next byte belongs to; there is one that is not full. */
  #current(): Uint8Array {
    for (;;) {
      const part = this.parts[this.#part]!;
      if (this.#position < part.length) return part;
      this.#part++;
      this.#position = 0;
    }
  }

  forward(value: unknown, _isUnreferenced: boolean): unknown {
    return value;
  }

  discard(): void {}
}

/** The payload of a message without bytes. */
export const NO_PAYLOAD: Payload = new MemoryPayload([]);
