// What a plugin answers promptly is read on the spot: to sleep until it comes,
// and to be woken for it, takes several times as long as such an answer.

import { libc } from "./libc.ts";
import type { Pipe } from "./pipe.ts";

/** How long an answer is looked for, in milliseconds: what sleeping would take. */
const SPIN_MS = 0.05;

/** How often it is not looked for at the most, since none was prompt of late. */
const MAX_BACKOFF = 1024;

/** Reads the stdout of a child on the spot, beside whoever waits for it. */
export class SpinReader {
  readonly #pipe: Pipe;
  /** How often it is not looked for when the next is not prompt; twice as often each time. */
  #backoff = 1;
  #skipped = 0;

  /**
   * @param pipe The child's stdout.
   */
  constructor(pipe: Pipe) {
    this.#pipe = pipe;
  }

  /**
   * Reads what comes promptly. Nobody else may be waiting for it.
   *
   * @param buffer Where it goes.
   * @returns How many bytes came; 0 where none did, which may be the end.
   */
  read(buffer: Uint8Array<ArrayBuffer>): number {
    if (this.#skipped > 0) {
      this.#skipped--;
      return 0;
    }
    const { descriptor } = this.#pipe;
    if (descriptor === null) return 0;
    const c = libc()!;
    const end = performance.now() + SPIN_MS;
    do {
      const count = Number(c.read(descriptor, buffer, buffer.length));
      if (count > 0) {
        this.#backoff = 1;
        return count;
      }
    } while (performance.now() < end);
    this.#skipped = this.#backoff;
    this.#backoff = Math.min(2 * this.#backoff, MAX_BACKOFF);
    return 0;
  }
}
