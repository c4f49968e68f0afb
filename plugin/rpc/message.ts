// What a message is: a call, one of its two answers, or news of a reference.

import { excerpt, ProtocolError } from "./protocol.ts";

/** The method of a plugin's root object that creates a component. */
export const CREATE_METHOD = "create";

/** The method of a plugin's root object that answers a heartbeat ping. */
export const PING_METHOD = "ping";

/** The code of the error by which a plugin refuses a second use of its one instance. */
export const ONE_INSTANCE_CODE = "E_ONE_INSTANCE";

const KINDS: ReadonlySet<string> = new Set([
  "call",
  "return",
  "throw",
  "release",
  "abort",
]);

/**
 * The one key that tells what a message is.
 *
 * @throws {ProtocolError} When it has none, or two.
 */
export function messageType(message: Record<string, unknown>): string {
  let kind: string | undefined;
  for (const key in message) {
    if (!KINDS.has(key)) continue;
    if (kind !== undefined) {
      throw new ProtocolError(`a message is a ${kind} and a ${key} at once`);
    }
    kind = key;
  }
  if (kind === undefined) {
    throw new ProtocolError(
      `a message is of no known kind: ${
        excerpt(Object.keys(message).join(", "))
      }`,
    );
  }
  return kind;
}

/** The message that answers a call. */
export function responseMessage(
  call: number,
  kind: "return" | "throw",
  value: unknown,
): Record<string, unknown> {
  if (kind === "throw") return { throw: call, error: value };
  return value === undefined ? { return: call } : { return: call, value };
}

/** Whether a value can be the number of a call or of a reference, or a count. */
export function isPositiveInteger(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/** Whether a value is a promise, or would be taken for one. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function";
}
