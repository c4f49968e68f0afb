// The watchdog: a thread that counts SIGINT, SIGTERM and SIGHUP. At the second one
// it kills all processes, when the main thread is blocked by a computation or a
// system call and does not do so itself.

import { groupTable } from "../process/group_table.ts";
import { reaperPid } from "../process/reaper.ts";
import { type WatchdogMessage, watchdogThread } from "./watchdog_thread.ts";

/** The main thread's side of the watchdog. */
export class Watchdog implements Disposable {
  #worker: Worker | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #active: readonly string[] = [];
  readonly #acknowledged = new Int32Array(new SharedArrayBuffer(4));

  /**
   * Starts the thread. Its start blocks the main thread for 20 ms, and the thread
   * takes 13 MB of memory.
   *
   * @param delayMs How long to wait before, in milliseconds.
   * @returns A promise that resolves when the thread counts signals.
   */
  start(delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#timer = setTimeout(() => this.#start(resolve), delayMs);
    Deno.unrefTimer(this.#timer as unknown as number);
    return promise;
  }

  /**
   * Passes the active builds to the thread.
   *
   * @param names The names for its last message.
   */
  setActive(names: readonly string[]): void {
    this.#active = names;
    this.#post({ active: [...names] });
  }

  /** Tells the thread that the main thread handles the second signal. */
  acknowledge(): void {
    Atomics.store(this.#acknowledged, 0, 1);
  }

  /** Ends the thread. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  #start(onReady: () => void): void {
    const worker = new Worker(
      `data:text/javascript,${encodeURIComponent(`(${watchdogThread})()`)}`,
      { type: "module", name: "watchdog" },
    );
    // Without the watchdog only SIGKILL ends a blocked host.
    worker.onerror = (event) => event.preventDefault();
    worker.onmessage = onReady;
    this.#worker = worker;
    this.#post({
      acknowledged: this.#acknowledged,
      groups: groupTable,
      reaper: reaperPid(),
      active: [...this.#active],
    });
  }

  #post(message: WatchdogMessage): void {
    this.#worker?.postMessage(message);
  }
}
