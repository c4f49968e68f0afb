// A delay that a signal can abort.

import { setLongTimeout } from "./long_timeout.ts";

/**
 * Waits for a duration.
 *
 * @param milliseconds The duration; a negative one is 0.
 * @param signal Ends the delay when aborted.
 * @throws {unknown} The signal's reason, when it is aborted.
 */
export function delay(
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const abort = () => {
      stop();
      reject(signal.reason);
    };
    const stop = setLongTimeout(milliseconds, () => {
      signal.removeEventListener("abort", abort);
      resolve();
    });
    signal.addEventListener("abort", abort, { once: true });
  });
}
