// A pause: waiting that can be stopped.

import { setLongTimeout } from "./long_timeout.ts";

/**
 * Waits.
 *
 * @param milliseconds How long; not at all where it is negative.
 * @param signal Stops the waiting.
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
