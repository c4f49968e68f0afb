// The protocol's versions, handshake, limits and errors. docs/protocol.md is the
// specification.

/** The supported versions of the protocol. */
export const PROTOCOL_VERSIONS: readonly number[] = [1];

/** The first message of a plugin. */
export interface Hello {
  hello: "baler";
  protocols: number[];
  sdk: string;
  version?: string;
  components: Record<string, string[]>;
}

/** The limits of what is accepted from the peer. */
export interface Limits {
  /** The longest line, in bytes. */
  line: number;
  /** The most raw bytes behind one line, in bytes. */
  bytes: number;
  /** The most parts of the raw bytes behind one line. */
  parts: number;
  /** The most text that is not a message, in bytes, where text is accepted at all. */
  text: number;
  /** The deepest nesting of lists and objects in a message, in levels. */
  depth: number;
  /** The most calls of the peer in flight. */
  calls: number;
  /** The most memory of the peer's calls in flight, as it is estimated, in bytes. */
  inFlight: number;
  /** The most that the peer may leave unread when it makes a call, in bytes. */
  unread: number;
  /** The most references that each side holds. */
  references: number;
  /** The most streams among the references of the peer that are held. */
  streams: number;
}

/** The default limits, in the units of {@linkcode Limits}. */
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

/** The peer violates the protocol: the connection is closed. */
export class ProtocolError extends Error {
  /** The name of the class, which is kept when the error is sent to another process. */
  override readonly name = "ProtocolError";
}

/** The connection was closed before a call was answered. */
export class ConnectionClosedError extends Error {
  /** The name of the class, which is kept when the error is sent to another process. */
  override readonly name = "ConnectionClosedError";
}

/**
 * Returns a text that the peer sent, quoted and shortened so that it can be
 * shown in an error.
 */
export function excerpt(text: string): string {
  const quoted = JSON.stringify(text.slice(0, 200));
  return text.length > 200
    ? `${quoted}... (${text.length} characters)`
    : quoted;
}

/** Describes a value that the peer sent in the wrong place, for an error. */
export function describeValue(value: unknown): string {
  return typeof value === "object" && value !== null
    ? "that is an object"
    : excerpt(String(value));
}

/**
 * Makes an error without a stack, for an invalid call of the peer. The peer can
 * make many; a stack would take most of the time of each, and show only this
 * library.
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
