// A timer that may be set for any length of time.

/** The longest that the system's timers take, 24 days in milliseconds: set for more, they end at once. */
export const LONGEST_TIMER: number = 2 ** 31 - 1;

/**
 * Does something later.
 *
 * @param milliseconds When: that long from now.
 * @param work What to do.
 * @returns Stops it, while it is not yet done.
 */
export function after(milliseconds: number, work: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const set = (left: number) => {
    const part = Math.min(left, LONGEST_TIMER);
    timer = setTimeout(() => left > part ? set(left - part) : work(), part);
  };
  set(milliseconds);
  return () => clearTimeout(timer);
}
