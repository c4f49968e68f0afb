// Decides when code that blocks the thread (synchronous reads, busy-polling)
// must let the event loop run.

/** Tracks when the event loop last ran. */
export class EventLoopYield {
  readonly #interval: number;
  #last = -Infinity;
  #isDue = false;

  /**
   * @param interval How long code may block the thread, in milliseconds.
   */
  constructor(interval: number) {
    this.#interval = interval;
  }

  /** Whether the caller must wait asynchronously now, instead of blocking the thread. */
  get shouldYield(): boolean {
    if (!this.#isDue && performance.now() - this.#last > this.#interval) {
      this.#isDue = true;
      // An asynchronous read or write may finish without an iteration of the loop; a timer does not.
      setTimeout(() => {
        this.#isDue = false;
        this.#last = performance.now();
      }, 0);
    }
    return this.#isDue;
  }
}
