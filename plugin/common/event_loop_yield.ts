// Turns of the event loop: who waits for something on the spot lets it have
// its turn now and then, in which all else goes on.

/** Whether the event loop is due a turn. */
export class EventLoopYield {
  readonly #interval: number;
  #last = -Infinity;
  #isDue = false;

  /**
   * @param interval After how long it is, in milliseconds.
   */
  constructor(interval: number) {
    this.#interval = interval;
  }

  /** Whether it is to have its turn now, before anything is waited for on the spot. */
  get shouldYield(): boolean {
    if (!this.#isDue && performance.now() - this.#last > this.#interval) {
      this.#isDue = true;
      // To read or write in another way need not take a turn; a timer does.
      setTimeout(() => {
        this.#isDue = false;
        this.#last = performance.now();
      }, 0);
    }
    return this.#isDue;
  }
}
