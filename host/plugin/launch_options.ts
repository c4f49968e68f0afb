// The options of launch(): a plugin's name, environment, output and timeouts.

import type { Log } from "../log/log.ts";

/** How a plugin is launched. */
export interface LaunchOptions {
  /** The plugin's name in the log and in errors; its path unless given. */
  name?: string;
  /** The log to which its stderr is written line by line; none unless given. */
  log?: Log;
  /**
   * Its environment; the host's own unless given, without the variables that
   * configure baler. BALER_HOST_ID is added to it.
   */
  env?: Record<string, string>;
  /** Its working directory; the host's own unless given. */
  cwd?: string;
  /**
   * How long the handshake may take, in milliseconds; 60,000 unless given. A
   * command with an argument `--inspect...`, whose process a debugger holds, has
   * neither this timeout nor the next.
   */
  startTimeout?: number | undefined;
  /**
   * How long it may be silent while calls are in flight, in milliseconds; 300,000
   * unless given. A silent plugin is pinged, so a call may take as long as it
   * likes; the plugin must only not be stopped, nor block its event loop for that
   * long.
   */
  answerTimeout?: number | undefined;
  /**
   * How long it may take to exit by itself when it is closed, in milliseconds;
   * 15,000 unless given. Then it gets SIGTERM, and SIGKILL 2,000 ms later.
   */
  grace?: number | undefined;
  /** Cancels the launch when aborted. */
  signal?: AbortSignal;
  /**
   * Called after each chunk of the plugin's output; where it returns a promise,
   * nothing more is read until that resolves. This bounds the memory of a host
   * that cannot write its output as fast as the plugin sends it.
   */
  pause?(): Promise<void> | undefined;
  /**
   * Describes the call in flight for the error of a plugin that dies; the method
   * that was called unless given.
   */
  activity?(): string | undefined;
}

/** The default for how long the handshake of a plugin may take, in milliseconds. */
export const START_TIMEOUT_MS = 60_000;

/** The default for how long a plugin may be silent while calls are in flight, in milliseconds. */
export const ANSWER_TIMEOUT_MS = 300_000;

/** The default for how long a plugin may take to exit by itself, in milliseconds. */
export const SHUTDOWN_GRACE_MS = 15_000;
