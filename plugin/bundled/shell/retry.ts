// Trying again: a machine that is about to restart refuses connections for a
// while.

import { delay } from "../../common/delay.ts";
import { isOsError } from "../shared/os_error.ts";

/** How long to wait between two tries, unless told otherwise. */
const DELAY_MS = 2_000;

/** How {@linkcode retry} tries. */
export interface RetryOptions {
  /** No new try is started after this many milliseconds. */
  timeout: number;
  /** How long to wait between two tries, in milliseconds; 2 s unless given. */
  delayMs?: number;
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
  { timeout, delayMs = DELAY_MS, signal }: RetryOptions,
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
      if (performance.now() + delayMs > end) throw error;
      console.log(`Trying again in ${delayMs / 1000} s: ${error}`);
      await delay(delayMs, signal);
    }
  }
}
