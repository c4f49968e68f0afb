// Decides whether to wait for the host on this thread. A blocking call saves
// the switch to another thread and back, and pays off while the host is quick.

/** The longest wait for a host that counts as quick, in milliseconds. */
const QUICK_MS = 20;

/** The number of waits in another thread after the host was slow once. */
const BACKOFF_WAITS = 100;

/**
 * Chooses between a blocking call on this thread and Deno's asynchronous one,
 * by how long the host took recently.
 */
export class BlockingPolicy {
  #backoff = 0;

  /** Whether this wait may block the thread. Call it once for each wait. */
  mayBlock(): boolean {
    return this.#backoff === 0 || this.#backoff-- === 0;
  }

  /**
   * Records how long a wait took.
   *
   * @param milliseconds The duration.
   */
  record(milliseconds: number): void {
    if (milliseconds > QUICK_MS) this.#backoff = BACKOFF_WAITS;
  }
}
