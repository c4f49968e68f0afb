// The limits of Packer's wire: the most that is accepted from the other side.
// Each is checked before memory or time is spent.

/** The most that is accepted from the other side. */
export interface WireLimits {
  /** The most streams open at a time. */
  streams: number;
  /** The most received bytes of all streams that are unread. */
  unreadBytes: number;
  /** The most bytes of control frames that the other side has not taken yet. */
  controlBytes: number;
  /** The most streams that were dialled and are not accepted yet. */
  pendingDials: number;
  /** The longest header or body of a call, in bytes. */
  messageBytes: number;
  /** The longest header of a call, in bytes. */
  headerBytes: number;
  /** The deepest nesting of lists and maps in a message. */
  depth: number;
  /** The most values in one message: items, keys and values. */
  values: number;
  /** The most calls of theirs in flight on one stream. */
  calls: number;
}

/** The limits where none are given. */
export const DEFAULT_WIRE_LIMITS: WireLimits = {
  streams: 4096,
  unreadBytes: 64 * 1024 * 1024,
  controlBytes: 1024 * 1024,
  pendingDials: 256,
  messageBytes: 64 * 1024 * 1024,
  headerBytes: 64 * 1024,
  depth: 1000,
  values: 1_000_000,
  calls: 10_000,
};
