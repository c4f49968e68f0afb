// The limits of a message that is sent. The peer would close the connection for a
// message that exceeds one, so the call that needs the message fails instead.

import { isDeeperThan, tooDeepError } from "./json_depth.ts";
import { MAX_VALUES } from "./message_cost.ts";
import { DEFAULT_LIMITS } from "./protocol.ts";

/** Throws a RangeError if a line is too long. */
export function checkLineLength(line: string): void {
  const limit = DEFAULT_LIMITS.line;
  // A UTF-16 unit takes at most three bytes.
  if (line.length <= limit / 3) return;
  const length = new TextEncoder().encode(line).length;
  if (length <= limit) return;
  throw new RangeError(
    `a value of ${length} bytes as JSON cannot be sent to another process; the limit is ${limit}: send it as bytes (Uint8Array) or as a stream`,
  );
}

/** Throws a RangeError if a message has too many values. */
export function checkValueCount(line: string, document: unknown): void {
  // A value takes at least two characters, with what separates it from the next.
  if (line.length < 2 * MAX_VALUES) return;
  let values = 0;
  const open: unknown[] = [document];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== "object" || value === null) continue;
    const children = Object.values(value);
    values += children.length + 1;
    if (values > MAX_VALUES) {
      throw new RangeError(
        `more than ${MAX_VALUES} values cannot be sent to another process in one message: send them as bytes (a Float64Array, ...) or as a stream`,
      );
    }
    for (const child of children) open.push(child);
  }
}

/** Throws a RangeError if the raw bytes of a message are too many. */
export function checkPayload(bytes: readonly Uint8Array[]): void {
  const limits = DEFAULT_LIMITS;
  if (bytes.length > limits.parts) {
    throw new RangeError(
      `more than ${limits.parts} arrays of bytes cannot be sent to another process in one message: send them as a stream`,
    );
  }
  let length = 0;
  for (const part of bytes) length += part.length;
  if (length > limits.bytes) {
    throw new RangeError(
      `more than ${limits.bytes} bytes cannot be sent to another process in one message: send them as a stream`,
    );
  }
}

/** Throws a RangeError if a message is nested too deep. */
export function checkDepth(line: string, document: unknown): void {
  const limit = DEFAULT_LIMITS.depth;
  // A shorter line cannot contain enough brackets.
  if (line.length > 2 * limit && isDeeperThan(limit, document)) {
    throw tooDeepError();
  }
}
