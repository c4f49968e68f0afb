// Monitors the cleanup after a cancellation. A plugin may take as long as it
// likes while it responds to pings. The user is told which plugins are still
// busy, and can kill them by a second Ctrl-C.

import { MAX_TIMEOUT_MS } from "../../plugin/common/long_timeout.ts";
import type { Plugin } from "./plugin.ts";
import { PluginError } from "./plugin_error.ts";

/** How often the plugins are checked within one timeout. */
const CHECKS_PER_TIMEOUT = 4;

/** What a {@linkcode CleanupMonitor} watches. */
export interface CleanupTarget {
  /** The plugins that have been launched. */
  plugins(): readonly Plugin[];
  /**
   * Called once per timeout while plugins are busy.
   *
   * @param names The plugins with calls in flight.
   */
  onWaiting(names: readonly string[]): void;
}

/** Monitors cancelled work, until it is disposed of. */
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
   * Starts to monitor when the work is cancelled.
   *
   * @param signal Cancels the work.
   * @param timeoutMs How long a plugin may be silent before it is killed, in
   * milliseconds. Also the period of `onWaiting`.
   * @param target What is monitored.
   */
  constructor(signal: AbortSignal, timeoutMs: number, target: CleanupTarget) {
    this.#signal = signal;
    this.#timeoutMs = timeoutMs;
    this.#target = target;
    signal.addEventListener("abort", this.#start, { once: true });
    if (signal.aborted) this.#start();
  }

  /** Stops the monitor. */
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

  // Counts checks, not time: while the host itself was blocked, it could not
  // read what a plugin wrote.
  #check(): void {
    const busy = this.#target.plugins().filter((plugin) => plugin.isBusy);
    for (const plugin of busy) {
      const { activity } = plugin;
      const before = this.#silences.get(plugin);
      const isSilent = before !== undefined && before.activity === activity;
      const count = isSilent ? before.count + 1 : 0;
      this.#silences.set(plugin, { activity, count });
      if (count >= CHECKS_PER_TIMEOUT) this.#kill(plugin);
      else plugin.ping();
    }
    if (++this.#checks % CHECKS_PER_TIMEOUT === 0 && busy.length > 0) {
      this.#target.onWaiting(busy.map(({ name }) => name));
    }
  }

  #kill(plugin: Plugin): void {
    const what = `did not respond for ${
      this.#timeoutMs / 1000
    } s since it was cancelled, and was killed`;
    void plugin.close(new PluginError(plugin.name, what, plugin.lastLines), 0);
  }
}
