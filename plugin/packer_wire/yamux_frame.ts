// The header of a yamux frame, and the words in it.

/** The only version there is. */
export const VERSION = 0;

/** The length of a header. */
export const HEADER_BYTES = 12;

/** How many bytes a side may send on a new stream before a window update. */
export const INITIAL_WINDOW_BYTES: number = 256 * 1024;

/** What a frame is. */
export const FrameType = {
  Data: 0,
  WindowUpdate: 1,
  Ping: 2,
  GoAway: 3,
} as const;

/** What else a frame says. */
export const Flag = { Syn: 1, Ack: 2, Fin: 4, Rst: 8 } as const;

/** Why a side takes no more streams: the length of a go away frame. */
export const GoAwayCode = {
  Normal: 0,
  ProtocolError: 1,
  InternalError: 2,
} as const;

/**
 * A frame's header.
 *
 * @param length The body's length, the window's increase, the ping's value or the go away's code.
 */
export function encodeHeader(
  type: number,
  flags: number,
  streamId: number,
  length: number,
): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, type);
  view.setUint16(2, flags);
  view.setUint32(4, streamId);
  view.setUint32(8, length);
  return header;
}
