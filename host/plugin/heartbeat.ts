// A sign of life: whoever has work to do and says nothing is asked for one, and
// given up when none comes.

import { MAX_TIMEOUT_MS } from "../../plugin/common/long_timeout.ts";

/** How often a sign of life is looked for, in the time within which it must come. */
const CHECKS_PER_TIMEOUT = 4;

/** Who is watched. */
export interface HeartbeatTarget {
  /** Whether it has work to do. */
  isBusy(): boolean;
  /** Asks it for a sign of life. */
  ping(): void;
  /** Called when none came. */
  onTimeout(): void;
}

/** Watches for signs of life, until it is disposed of. */
export class HeartbeatMonitor implements Disposable {
  readonly #timer: ReturnType<typeof setInterval>;
  /** Whether there was one since the last look. */
  #isHeard = true;
  #silence = 0;

  /**
   * @param watched Who is watched.
   * @param patience How long it may be silent while it has work to do, in
   * milliseconds.
   */
  constructor(watched: HeartbeatTarget, patience: number) {
    const look = () => {
      if (this.#isHeard || !watched.isBusy()) {
        this.#isHeard = false;
        this.#silence = 0;
      } else if (++this.#silence >= CHECKS_PER_TIMEOUT) {
        watched.onTimeout();
      } else watched.ping();
    };
    this.#timer = setInterval(
      look,
      Math.min(patience / CHECKS_PER_TIMEOUT, MAX_TIMEOUT_MS),
    );
    // It must not keep a program alive that waits for nothing else.
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** Takes note of a sign of life. */
  beat(): void {
    this.#isHeard = true;
  }

  /** Looks for them no longer. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
