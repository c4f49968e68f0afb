// A limit for a promise that would otherwise hang the test run.

/** Long enough for a busy machine: only a promise that would never settle exceeds it, in milliseconds. */
export const HANG_LIMIT_MS = 120_000;

/**
 * Waits for a promise, but not forever.
 *
 * @param what What is awaited, for the error.
 * @param promise The promise.
 * @param limitMs How long to wait, in milliseconds. Give one only where the promise that the test proves is about
 * time.
 * @returns What the promise resolves to.
 * @throws {Error} When the limit is over first.
 */
export async function within<T>(
  what: string,
  promise: Promise<T>,
  limitMs = HANG_LIMIT_MS,
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`${what}: not within ${limitMs / 1000} s`)),
    limitMs,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
