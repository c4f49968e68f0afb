// Call bursts: many calls of one plugin, each soon after the one before. During a
// burst the calls announce that more follow; the plugin then reads its stdin with
// a blocking read, which takes half as long as Deno's asynchronous read in
// another thread. At the end of the burst the plugin is told to stop that.

/** The longest time between two calls of a burst, in milliseconds. */
const MAX_GAP_MS = 2;

/** How many such calls make a burst. */
const MIN_CALLS = 8;

/** How long after the last call a burst ends, in milliseconds; at most twice that, since the timer is not restarted for each call. */
const IDLE_MS = 5;

/** Detects bursts of calls of one plugin. */
export class CallBurst {
  readonly #onEnd: () => void;
  /** When the last call was made, in milliseconds. */
  #lastCallAt = -Infinity;
  /** How many calls in a row came within MAX_GAP_MS. */
  #calls = 0;
  /** How many calls have announced more. */
  #announced = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param onEnd Called when a burst has ended.
   */
  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  /** Whether the last call was part of a burst. */
  get isActive(): boolean {
    return this.#calls >= MIN_CALLS;
  }

  /**
   * Records a call that is made while no other call of the plugin is in flight.
   *
   * @returns Whether the call announces more: either another call or `onEnd`
   * follows.
   */
  recordCall(): boolean {
    const now = performance.now();
    this.#calls = now - this.#lastCallAt < MAX_GAP_MS ? this.#calls + 1 : 0;
    this.#lastCallAt = now;
    if (!this.isActive) return false;
    this.#announced++;
    if (this.#timer === undefined) this.#watch();
    return true;
  }

  /** Stops the detection: `onEnd` is not called any more. */
  end(): void {
    clearTimeout(this.#timer);
  }

  #watch(): void {
    const before = this.#announced;
    this.#timer = setTimeout(() => {
      if (this.#announced > before) return this.#watch();
      this.#timer = undefined;
      this.#onEnd();
    }, IDLE_MS);
    // The timer must not keep an otherwise finished host alive.
    Deno.unrefTimer(this.#timer as unknown as number);
  }
}
