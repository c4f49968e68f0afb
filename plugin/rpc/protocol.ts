// The protocol's own words: its version, its messages, its limits, and the
// error that ends a connection on which it is broken. docs/protocol.md is the
// specification.

/** The protocol versions that this side speaks. */
export const PROTOCOL_VERSIONS: readonly number[] = [1];

/** What a plugin says first. */
export interface Hello {
  hello: "baler";
  protocols: number[];
  sdk: string;
  version?: string;
  components: Record<string, string[]>;
}

/** The most that is accepted from the other side. */
export interface Limits {
  /** The longest line, in bytes. */
  line: number;
  /** The most raw bytes behind one line. */
  bytes: number;
  /** The most parts that those are in. */
  parts: number;
  /** The most text that is no message, in bytes, where text is accepted at all. */
  text: number;
  /** The deepest nesting of lists and objects in a message. */
  depth: number;
  /** The most calls of theirs in flight. */
  calls: number;
  /** The most memory that their calls in flight take, as it is estimated, in bytes. */
  inFlight: number;
  /** The most that they have not read when they make another call, in bytes. */
  unread: number;
  /** The most references of theirs that are held, and of ours that they hold. */
  references: number;
  /** The most streams among those. */
  streams: number;
}

/** The limits where none are given. */
export const DEFAULT_LIMITS: Limits = {
  line: 64 * 1024 * 1024,
  bytes: 1024 * 1024 * 1024,
  parts: 10_000,
  text: 1024 * 1024,
  depth: 1000,
  calls: 100_000,
  inFlight: 1.5 * 1024 * 1024 * 1024,
  unread: 2 * 1024 * 1024 * 1024,
  references: 100_000,
  streams: 10_000,
};

/** The other side does not keep to the protocol: the connection is over. */
export class ProtocolError extends Error {
  /** The error's class, which stays when it crosses to another process. */
  override readonly name = "ProtocolError";
}

/** The connection ended while something still needed it. */
export class ConnectionClosedError extends Error {
  /** The error's class, which stays when it crosses to another process. */
  override readonly name = "ConnectionClosedError";
}

/**
 * A piece of what the other side sent, short and harmless enough to be shown
 * in an error.
 */
export function excerpt(text: string): string {
  const quoted = JSON.stringify(text.slice(0, 200));
  return text.length > 200
    ? `${quoted}... (${text.length} characters)`
    : quoted;
}

/** A value that the other side sent where something else was expected. */
export function describeValue(value: unknown): string {
  return typeof value === "object" && value !== null
    ? "that is an object"
    : excerpt(String(value));
}

/**
 * An error without a stack, for a call that the other side should not have
 * made: it can make many, a stack takes most of the time of each, and shows
 * nothing but this library.
 *
 * @param Class The error's class.
 * @param message The message.
 */
export function withoutStack(
  Class: new (message: string) => Error,
  message: string,
): Error {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return new Class(message);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
