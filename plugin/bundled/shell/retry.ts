// Retries: a machine that is about to restart refuses connections for a while.

import { delay } from "../../common/delay.ts";
import { isOsError } from "../shared/os_error.ts";

const RETRY_DELAY_MS = 2_000;
const REPORT_INTERVAL_MS = 30_000;

/** How {@linkcode retry} retries. */
export interface RetryOptions {
  /** No new attempt is made after this many milliseconds. */
  timeoutMs: number;
  /** Stops retrying when aborted. */
  signal: AbortSignal;
  /**
   * Called before a retry, with the error of the failed attempt: at the first
   * one, when the error is another one, and then every 30 seconds.
   */
  onRetry(error: unknown): void | Promise<void>;
}

/**
 * Runs a function until it succeeds.
 *
 * @param work The function.
 * @param options How long to retry.
 * @returns What the function returned.
 * @throws {Error} The last error, when time is up or when no retry can succeed.
 */
export async function retry<T>(
  work: () => Promise<T>,
  { timeoutMs, signal, onRetry }: RetryOptions,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  let reported = "";
  let reportedAt = -Infinity;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      const cause = error instanceof Error ? error.cause : undefined;
      if (isOsError(error) || isOsError(cause)) throw error;
      const now = performance.now();
      if (now + RETRY_DELAY_MS > end) throw error;
      if (String(error) !== reported || now - reportedAt > REPORT_INTERVAL_MS) {
        [reported, reportedAt] = [String(error), now];
        await onRetry(error);
      }
      await delay(RETRY_DELAY_MS, signal);
    }
  }
}
