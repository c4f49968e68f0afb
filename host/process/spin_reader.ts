// Busy-polls the stdout of a child for SPIN_MS before an asynchronous read. A
// plugin answers a small call several times faster than this thread can go to
// sleep and be woken up.

import { libc } from "./libc.ts";
import type { Pipe } from "./pipe.ts";

/** How long one poll lasts, in milliseconds: about what a sleep and a wake-up cost. */
const SPIN_MS = 0.05;

/** How many polls are skipped at most after polls that read nothing. */
const MAX_BACKOFF = 1024;

/** Busy-polls the stdout of a child. */
export class SpinReader {
  readonly #pipe: Pipe;
  /** How many polls are skipped after the next one that reads nothing; doubles each time. */
  #backoff = 1;
  #skipped = 0;

  /**
   * @param pipe The child's stdout.
   */
  constructor(pipe: Pipe) {
    this.#pipe = pipe;
  }

  /**
   * Polls once, for up to SPIN_MS. No asynchronous read of the pipe may be
   * pending.
   *
   * @param buffer Receives the bytes.
   * @returns The number of bytes; 0 when there were none, also at the end of
   * the stream.
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
