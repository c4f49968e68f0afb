// The fast path of the encoder: most messages are plain JSON, for which
// JSON.stringify() writes what superjson would, in a fraction of the time.

import { tooDeepError } from "./json_depth.ts";
import { DEFAULT_LIMITS } from "./protocol.ts";

/** Up to how many objects a list is searched for duplicates instead of a set. */
const LINEAR_SEARCH_LIMIT = 16;

/** The levels of a message around the values of an author. */
const MESSAGE_LEVELS = 8;

/**
 * Whether superjson would write a value without any annotation.
 *
 * @param root The value.
 * @throws {RangeError} When it is nested too deep to be sent.
 */
export function isPlainJson(root: unknown): boolean {
  const seen: object[] = [];
  let seenSet: Set<object> | undefined;
  let depth = 0;
  const isPlain = (value: unknown): boolean => {
    switch (typeof value) {
      case "string":
      case "boolean":
        return true;
      case "number":
        return Number.isFinite(value) && !(value === 0 && 1 / value < 0);
      case "object":
        break;
      default:
        return false;
    }
    if (value === null) return true;
    if (seenSet !== undefined ? seenSet.has(value) : seen.includes(value)) {
      return false;
    }
    if (seenSet !== undefined) seenSet.add(value);
    else if (seen.push(value) > LINEAR_SEARCH_LIMIT) seenSet = new Set(seen);
    if (++depth > DEFAULT_LIMITS.depth - MESSAGE_LEVELS) throw tooDeepError();
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) {
        if (!isPlain(value[index])) return false;
      }
      depth--;
      return true;
    }
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return false;
    for (const key in value) {
      // superjson refuses this key, with an error that names it.
      if (key === "__proto__") return false;
      if (!isPlain((value as Record<string, unknown>)[key])) return false;
    }
    depth--;
    return true;
  };
  return isPlain(root);
}
