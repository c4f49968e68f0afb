// Makes the wait for a promise abortable.

/**
 * Waits for a promise, unless the signal is aborted first.
 *
 * @param signal Ends the wait; the work of the promise continues.
 * @param work The promise.
 * @returns The promise's value.
 * @throws {unknown} The signal's reason, when it is aborted.
 */
export async function abortable<T>(
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
