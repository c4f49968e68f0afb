// Patience: what is cancelled is given time to clean up, and then ended.

import { setLongTimeout } from "../../plugin/common/long_timeout.ts";

/** Waits for cancelled work to end by itself, for as long as it is in use. */
export class GraceTimeout implements Disposable {
  readonly #signal: AbortSignal;
  readonly #cancelled: () => void;
  #stop = () => {};

  /**
   * Starts to wait when the work is cancelled.
   *
   * @param signal Cancels the work.
   * @param grace How long it may then take, in milliseconds.
   * @param end Ends it.
   */
  constructor(signal: AbortSignal, grace: number, end: () => Promise<void>) {
    this.#signal = signal;
    this.#cancelled = () => {
      this.#stop = setLongTimeout(grace, () => void end());
    };
    signal.addEventListener("abort", this.#cancelled, { once: true });
    if (signal.aborted) this.#cancelled();
  }

  /** The work has ended: there is nothing to wait for. */
  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#cancelled);
    this.#stop();
  }
}
