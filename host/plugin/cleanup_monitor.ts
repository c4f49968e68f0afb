// The cleanup after a cancellation: it may take as long as the plugins show
// signs of life. The person is told what is still at work, and can end it by a
// second Ctrl-C.

import { MAX_TIMEOUT_MS } from "../../plugin/common/long_timeout.ts";
import type { Plugin } from "./plugin.ts";
import { PluginError } from "./plugin_error.ts";

/** How often signs of life are looked for in the time within which one must come. */
const CHECKS_PER_TIMEOUT = 4;

/** What a {@linkcode CleanupMonitor} watches. */
export interface CleanupTarget {
  /** The plugins that have been launched. */
  plugins(): readonly Plugin[];
  /**
   * Called once in each period while something cleans up.
   *
   * @param names The plugins with calls in flight.
   */
  onWaiting(names: readonly string[]): void;
}

/** Watches cancelled work, until it is disposed of. */
export class CleanupMonitor implements Disposable {
  readonly #signal: AbortSignal;
  readonly #target: CleanupTarget;
  readonly #timeoutMs: number;
  /** How often a plugin has been found silent, and its activity then. */
  readonly #silences = new WeakMap<
    Plugin,
    { activity: number; count: number }
  >();
  #checks = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * Starts to watch when the work is cancelled.
   *
   * @param signal Cancels the work.
   * @param timeoutMs How long a plugin may be silent, in
   * milliseconds; then it is killed. Also the period in which the person is told.
   * @param target What is watched.
   */
  constructor(signal: AbortSignal, timeoutMs: number, target: CleanupTarget) {
    this.#signal = signal;
    this.#timeoutMs = timeoutMs;
    this.#target = target;
    signal.addEventListener("abort", this.#start, { once: true });
    if (signal.aborted) this.#start();
  }

  /** Ends the watch. */
  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#start);
    clearInterval(this.#timer);
  }

  readonly #start = (): void => {
    const interval = Math.min(
      this.#timeoutMs / CHECKS_PER_TIMEOUT,
      MAX_TIMEOUT_MS,
    );
    this.#timer = setInterval(() => this.#check(), interval);
  };

  // Checks are counted, not time: while the host itself was blocked, no plugin
  // could show anything.
  #check(): void {
    const busy = this.#target.plugins().filter((plugin) => plugin.isBusy);
    for (const plugin of busy) {
      const { activity } = plugin;
      const before = this.#silences.get(plugin);
      const isSilent = before !== undefined && before.activity === activity;
      const count = isSilent ? before.count + 1 : 0;
      this.#silences.set(plugin, { activity, count });
      if (count >= CHECKS_PER_TIMEOUT) this.#end(plugin);
      else plugin.ping();
    }
    if (++this.#checks % CHECKS_PER_TIMEOUT === 0 && busy.length > 0) {
      this.#target.onWaiting(busy.map(({ name }) => name));
    }
  }

  #end(plugin: Plugin): void {
    const what = `did not respond for ${
      this.#timeoutMs / 1000
    } s since it was cancelled, and was killed`;
    void plugin.close(new PluginError(plugin.name, what, plugin.lastLines), 0);
  }
}
