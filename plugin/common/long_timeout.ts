// A timer that may be set for any length of time.

/** The longest that the system's timers take, 24 days in milliseconds: set for more, they end at once. */
export const MAX_TIMEOUT_MS: number = 2 ** 31 - 1;

/**
 * Does something later.
 *
 * @param milliseconds When: that long from now.
 * @param work What to do.
 * @returns Stops it, while it is not yet done.
 */
export function setLongTimeout(
  milliseconds: number,
  work: () => void,
): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const set = (left: number) => {
    const part = Math.min(left, MAX_TIMEOUT_MS);
    timer = setTimeout(() => left > part ? set(left - part) : work(), part);
  };
  set(milliseconds);
  return () => clearTimeout(timer);
}
