// The depth of a message. Decoders recurse, and a message of the peer must not
// overflow the stack.

import { DEFAULT_LIMITS } from "./protocol.ts";

/** Makes the error for a value that is nested too deep to be sent. */
export function tooDeepError(): RangeError {
  return new RangeError(
    `a value that is nested deeper than ${DEFAULT_LIMITS.depth} levels cannot be sent to another process`,
  );
}

/**
 * Whether JSON is nested deeper than a number of levels. Searches level by level,
 * without recursion.
 *
 * @param limit The number of levels.
 * @param root A list or an object.
 */
export function isDeeperThan(limit: number, root: unknown): boolean {
  let level: object[] = [root as object];
  for (let depth = 0; depth <= limit; depth++) {
    const below: object[] = [];
    for (const value of level) {
      for (const child of Object.values(value)) {
        if (typeof child === "object" && child !== null) below.push(child);
      }
    }
    if (below.length === 0) return false;
    level = below;
  }
  return true;
}
