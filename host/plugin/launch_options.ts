// How a plugin is launched: what it is called, what it gets, and how long it
// may take for what.

import type { Log } from "../log/log.ts";

/** How a plugin is launched. */
export interface LaunchOptions {
  /** What the plugin is called in the log and in errors; its path unless given. */
  name?: string;
  /** Where its stderr goes, line by line; nowhere unless given. */
  log?: Log;
  /**
   * Its environment; the host's own unless given, without the variables that
   * steer baler. BALER_HOST_ID is added to it.
   */
  env?: Record<string, string>;
  /** The folder it starts in; the host's own unless given. */
  cwd?: string;
  /** How long it may take to say hello, in milliseconds; 60,000 unless given. */
  startTimeout?: number | undefined;
  /**
   * How long it may be silent while it has calls to answer,
   * in milliseconds; 300,000 unless given. It is asked for one, so a plugin may
   * take as long as it likes for a call, but not be stopped, nor busy for so
   * long without a turn of its event loop.
   */
  answerTimeout?: number | undefined;
  /**
   * How long it may take to end by itself when it is closed, in milliseconds;
   * 15,000 unless given. Then it gets SIGTERM, and 2,000 ms later SIGKILL.
   */
  grace?: number | undefined;
  /** Cancels the launch when aborted. */
  signal?: AbortSignal;
  /**
   * Called after each chunk of the plugin's output: where it returns a promise,
   * nothing more is read until that resolves. So a plugin cannot fill the
   * memory of a host that cannot write out what it sends.
   */
  pause?(): Promise<void> | undefined;
  /**
   * Describes what it is doing, for the error that tells of its death; the method that
   * was called unless given.
   */
  activity?(): string | undefined;
}

/** How long a plugin may take to say hello, in milliseconds, where nothing else is said. */
export const START_TIMEOUT = 60_000;

/** How long it may be silent with work to do, in milliseconds, where nothing else is said. */
export const ANSWER_TIMEOUT = 300_000;

/** How long it may take to end by itself, in milliseconds, where nothing else is said. */
export const GRACE = 15_000;
