// The messages of the protocol: a call, its two responses, and the two
// notifications about a reference. docs/protocol.md describes each field.

import { excerpt, ProtocolError } from "./protocol.ts";

/** The method of a plugin's root object that creates a component. */
export const CREATE_METHOD = "create";

/** The method of a plugin's root object that answers a heartbeat ping. */
export const PING_METHOD = "ping";

/** The code of the error by which a plugin refuses a second use of its one instance. */
export const ONE_INSTANCE_CODE = "E_ONE_INSTANCE";

/** A message as it is sent. The key that gives its type holds a number. */
export type WireMessage =
  | {
    call: number;
    on?: number;
    method?: string;
    args?: unknown[];
    soon?: true;
  }
  | { return: number; value?: unknown }
  | { throw: number; error: unknown }
  | { release: number; count: number }
  | { abort: number; reason: unknown };

/** Calls a method of the receiver's root object or of one of its references. */
export interface CallMessage {
  type: "call";
  /** The number of the call, chosen by the caller. */
  call: number;
  /** The reference that is called; 0 is the root object. */
  on: number;
  /** The method; absent in a call of a function. */
  method: string | undefined;
  args: unknown[];
  /** Whether the sender announces that another line follows soon. */
  soon: boolean;
}

/** Responds to a call that succeeded. */
export interface ReturnMessage {
  type: "return";
  /** The number of the call. */
  return: number;
  value: unknown;
}

/** Responds to a call that failed. */
export interface ThrowMessage {
  type: "throw";
  /** The number of the call. */
  throw: number;
  error: unknown;
}

/** Returns a reference to the side that exported it. */
export interface ReleaseMessage {
  type: "release";
  /** The reference. */
  release: number;
  /** How many of the messages that contained it are accounted for. */
  count: number;
}

/** Aborts a signal that the sender exported. */
export interface AbortMessage {
  type: "abort";
  /** The reference of the signal. */
  abort: number;
  reason: unknown;
}

/** A received message, with all fields but the values validated. */
export type Message =
  | CallMessage
  | ReturnMessage
  | ThrowMessage
  | ReleaseMessage
  | AbortMessage;

const TYPES: ReadonlySet<string> = new Set<Message["type"]>([
  "call",
  "return",
  "throw",
  "release",
  "abort",
]);

/**
 * Validates a decoded message.
 *
 * @param message The message.
 * @returns The same message as one of the known types.
 * @throws {ProtocolError} When it has no type, two types, or an invalid field.
 */
export function parseMessage(message: Record<string, unknown>): Message {
  const type = typeOf(message);
  switch (type) {
    case "call":
      return parseCall(message);
    case "return":
      return {
        type,
        return: positiveInteger(message.return, type, "return"),
        value: message.value,
      };
    case "throw":
      return {
        type,
        throw: positiveInteger(message.throw, type, "throw"),
        error: message.error,
      };
    case "release":
      return {
        type,
        release: positiveInteger(message.release, type, "release"),
        count: positiveInteger(message.count, type, "count"),
      };
    case "abort":
      return {
        type,
        abort: positiveInteger(message.abort, type, "abort"),
        reason: message.reason,
      };
  }
}

/** Returns the one key that gives the type of a message. */
function typeOf(message: Record<string, unknown>): Message["type"] {
  let type: string | undefined;
  for (const key in message) {
    if (!TYPES.has(key)) continue;
    if (type !== undefined) {
      throw new ProtocolError(
        `invalid message: both \`${type}\` and \`${key}\` are set`,
      );
    }
    type = key;
  }
  if (type === undefined) {
    throw new ProtocolError(
      `invalid message: no known type among its keys ${
        excerpt(Object.keys(message).join(", "))
      }`,
    );
  }
  return type as Message["type"];
}

function parseCall(message: Record<string, unknown>): CallMessage {
  const { on = 0, method, args = [], soon } = message;
  const call = positiveInteger(message.call, "call", "call");
  if (on !== 0 && !isPositiveInteger(on)) {
    throw new ProtocolError("invalid call: `on` must be a reference");
  }
  if (method !== undefined && typeof method !== "string") {
    throw new ProtocolError("invalid call: `method` must be a string");
  }
  if (!Array.isArray(args)) {
    throw new ProtocolError("invalid call: `args` must be a list");
  }
  return { type: "call", call, on, method, args, soon: soon === true };
}

function positiveInteger(
  value: unknown,
  type: Message["type"],
  key: string,
): number {
  if (isPositiveInteger(value)) return value;
  throw new ProtocolError(
    `invalid ${type}: \`${key}\` must be a positive integer`,
  );
}

/** Makes the response to a call. */
export function responseMessage(
  call: number,
  type: "return" | "throw",
  value: unknown,
): WireMessage {
  if (type === "throw") return { throw: call, error: value };
  return value === undefined ? { return: call } : { return: call, value };
}

/** Whether a value is valid as the number of a call or a reference, or as a count. */
function isPositiveInteger(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/** Whether JavaScript would treat a value as a promise. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function";
}
