// Pooled payloads: the memory of a forwarded result is used again once the result
// has been sent. Allocating new memory costs several times as much as the copy,
// most of it later, in garbage collection.

import { responseMessage } from "../message.ts";
import { MemoryPayload } from "./memory_payload.ts";
import {
  ForwardedResult,
  type PayloadPolicy,
  type ResultSender,
} from "./payload.ts";

/** The most parts in a pool: those that a stream has in flight. */
const MAX_POOLED_PARTS = 64;

/** The most memory in a pool, in bytes: what a stream has in flight. */
const MAX_POOLED_BYTES = 4 * 1024 * 1024;

/** Memory of the forwarded results of one connection. */
export class BufferPool {
  #free: Uint8Array[] = [];
  #length = 0;

  /**
   * Returns memory, with any content.
   *
   * @param length Its length in bytes, which is exact: a receiver may look at
   * the whole underlying buffer.
   */
  acquire(length: number): Uint8Array {
    const index = this.#free.findIndex((part) => part.length === length);
    if (index === -1) return new Uint8Array(length);
    this.#length -= length;
    return this.#free.splice(index, 1)[0]!;
  }

  /** Takes back memory that nothing refers to. The oldest is dropped where it is too much. */
  release(parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      if (part.length === 0 || part.length > MAX_POOLED_BYTES) continue;
      this.#free.push(part);
      this.#length += part.length;
      while (
        this.#length > MAX_POOLED_BYTES || this.#free.length > MAX_POOLED_PARTS
      ) {
        this.#length -= this.#free.shift()!.length;
      }
    }
  }
}

/** Returns a policy that stores payloads in memory from a pool of their own. */
export function pooledPayloads(): PayloadPolicy {
  const pool = new BufferPool();
  return ({ lengths }) => new PooledPayload(pool, lengths);
}

class PooledPayload extends MemoryPayload {
  readonly #pool: BufferPool;

  constructor(pool: BufferPool, lengths: readonly number[]) {
    super(lengths.map((length) => pool.acquire(length)));
    this.#pool = pool;
  }

  override forward(value: unknown, isUnreferenced: boolean): unknown {
    return isUnreferenced
      ? new PooledResult(value, this.#pool, this.parts)
      : value;
  }
}

class PooledResult extends ForwardedResult {
  readonly #value: unknown;
  readonly #pool: BufferPool;
  readonly #parts: readonly Uint8Array[];

  constructor(value: unknown, pool: BufferPool, parts: readonly Uint8Array[]) {
    super();
    this.#value = value;
    this.#pool = pool;
    this.#parts = parts;
  }

  override sendTo(call: number, sender: ResultSender): void {
    sender.send(responseMessage(call, "return", this.#value));
    // The parts have been copied into the send buffer.
    this.#pool.release(this.#parts);
  }
}
