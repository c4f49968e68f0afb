// Trying again: a machine that is about to restart refuses connections for a
// while.

import { delay } from "../../common/delay.ts";
import { isOsError } from "../shared/os_error.ts";

const DELAY = 2_000;

/** How {@linkcode retry} tries. */
export interface RetryOptions {
  /** No new try is started after this many milliseconds. */
  timeout: number;
  /** Stops trying when aborted. */
  signal: AbortSignal;
}

/**
 * Tries until it works.
 *
 * @param work What is tried.
 * @param options For how long.
 * @returns What came of it.
 * @throws {Error} The last try's error, when time is up or when another try could not end otherwise.
 */
export async function retry<T>(
  work: () => Promise<T>,
  { timeout, signal }: RetryOptions,
): Promise<T> {
  const end = performance.now() + timeout;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      const cause = error instanceof Error ? error.cause : undefined;
      if (isOsError(error) || isOsError(cause)) throw error;
      if (performance.now() + DELAY > end) throw error;
      console.log(`Trying again in ${DELAY / 1000} s: ${error}`);
      await delay(DELAY, signal);
    }
  }
}
