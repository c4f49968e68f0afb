// Waiting that can be stopped, for what cannot be stopped itself.

/**
 * Waits for something that cannot be stopped itself, unless the signal is
 * aborted first.
 *
 * @param signal Stops the waiting.
 * @param work What is waited for.
 * @returns What came of it.
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
