// Waiting that can be stopped.

import { after } from "../timer.ts";

/**
 * Waits for something that cannot be stopped itself, unless the signal is
 * aborted first.
 *
 * @param signal Stops the waiting.
 * @param work What is waited for.
 * @returns What came of it.
 * @throws {unknown} The signal's reason, when it is aborted.
 */
export async function unlessAborted<T>(
  signal: AbortSignal,
  work: T | Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/**
 * Waits.
 *
 * @param milliseconds How long; not at all where it is negative.
 * @param signal Stops the waiting.
 * @throws {unknown} The signal's reason, when it is aborted.
 */
export async function pause(
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> {
  const over = Promise.withResolvers<void>();
  const stop = after(milliseconds, over.resolve);
  try {
    await unlessAborted(signal, over.promise);
  } finally {
    stop();
  }
}
