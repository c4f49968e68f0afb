// Heartbeat: pings a plugin that has calls in flight but is silent, and reports
// it when it does not respond in time.

import { MAX_TIMEOUT_MS } from "../../plugin/common/long_timeout.ts";

/** How often the plugin is checked within one timeout. */
const CHECKS_PER_TIMEOUT = 4;

/** What is monitored. */
export interface HeartbeatTarget {
  /** Whether calls of the target are in flight. */
  isBusy(): boolean;
  /** Sends a ping, whose answer is a heartbeat. */
  ping(): void;
  /** Called when no heartbeat arrived in time. */
  onTimeout(): void;
}

/** Monitors a target until it is disposed of. */
export class HeartbeatMonitor implements Disposable {
  readonly #timer: ReturnType<typeof setInterval>;
  /** Whether there was a heartbeat since the last check. */
  #isAlive = true;
  #silentChecks = 0;

  /**
   * Starts to check the target.
   *
   * @param target The target.
   * @param timeoutMs How long it may be silent while it is busy, in
   * milliseconds.
   */
  constructor(target: HeartbeatTarget, timeoutMs: number) {
    const check = () => {
      if (this.#isAlive || !target.isBusy()) {
        this.#isAlive = false;
        this.#silentChecks = 0;
      } else if (++this.#silentChecks >= CHECKS_PER_TIMEOUT) {
        target.onTimeout();
      } else target.ping();
    };
    this.#timer = setInterval(
      check,
      Math.min(timeoutMs / CHECKS_PER_TIMEOUT, MAX_TIMEOUT_MS),
    );
    // The timer must not keep an otherwise finished program alive.
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** Records a heartbeat: the target has sent something. */
  beat(): void {
    this.#isAlive = true;
  }

  /** Stops the checks. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
