// A timeout of any duration.

/** The longest delay of `setTimeout`, 24 days: with a longer one it fires at once. */
export const MAX_TIMEOUT_MS: number = 2 ** 31 - 1;

/**
 * Calls a function after a delay; `setTimeout` without a limit.
 *
 * @param milliseconds The delay.
 * @param work The function.
 * @returns A function that cancels the call.
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
