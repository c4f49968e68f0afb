// A sign of life: whoever has work to do and says nothing is asked for one, and
// given up when none comes.

import { LONGEST_TIMER } from "../../plugin/common/long_timeout.ts";

/** How often a sign of life is looked for, in the time within which it must come. */
const LOOKS = 4;

/** Who is watched. */
export interface Watched {
  /** Whether it has work to do. */
  hasWork(): boolean;
  /** Asks it for a sign of life. */
  ask(): void;
  /** Called when none came. */
  onSilence(): void;
}

/** Watches for signs of life, until it is disposed of. */
export class LifeWatch implements Disposable {
  readonly #timer: ReturnType<typeof setInterval>;
  /** Whether there was one since the last look. */
  #isHeard = true;
  #silence = 0;

  /**
   * @param watched Who is watched.
   * @param patience How long it may be silent while it has work to do, in
   * milliseconds.
   */
  constructor(watched: Watched, patience: number) {
    const look = () => {
      if (this.#isHeard || !watched.hasWork()) {
        this.#isHeard = false;
        this.#silence = 0;
      } else if (++this.#silence >= LOOKS) {
        watched.onSilence();
      } else watched.ask();
    };
    this.#timer = setInterval(look, Math.min(patience / LOOKS, LONGEST_TIMER));
    // It must not keep a program alive that waits for nothing else.
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** Takes note of a sign of life. */
  heard(): void {
    this.#isHeard = true;
  }

  /** Looks for them no longer. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
