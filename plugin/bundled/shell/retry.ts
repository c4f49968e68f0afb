// Retries: a machine that is about to restart refuses connections for a while.

import { delay } from "../../common/delay.ts";
import { goDuration } from "../../common/duration.ts";
import type { Ui } from "../../contract/ui.ts";
import { isOsError } from "../../files/os_error.ts";

const DEFAULT_DELAY_MS = 2_000;
const REPORT_INTERVAL_MS = 30_000;

/** How {@linkcode retry} retries. */
export interface RetryOptions {
  /** No new attempt is made after this many milliseconds. */
  timeoutMs: number;
  /** The time between two attempts, in milliseconds; 2 s by default. */
  delayMs?: number;
  /** Stops retrying when aborted. */
  signal: AbortSignal;
  /**
   * Where the error of a failed attempt is shown: of the first one, when it is
   * another error, and then every 30 seconds. Nowhere by default.
   */
  ui?: Pick<Ui, "error">;
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
  { timeoutMs, delayMs = DEFAULT_DELAY_MS, signal, ui }: RetryOptions,
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
      if (now + delayMs > end) throw error;
      if (String(error) !== reported || now - reportedAt > REPORT_INTERVAL_MS) {
        [reported, reportedAt] = [String(error), now];
        await ui?.error(
          `${error instanceof Error ? error.message : error}; ` +
            `trying again for up to ${goDuration(timeoutMs)}`,
        );
      }
      await delay(delayMs, signal);
    }
  }
}
