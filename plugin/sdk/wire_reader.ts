// Reads messages from stdin: blocking while more is announced and the host is
// quick, asynchronous otherwise.

import { EventLoopYield } from "../common/event_loop_yield.ts";
import { BlockingPolicy } from "./blocking_policy.ts";

/**
 * Reads the next bytes into a buffer.
 *
 * @param buffer Receives the bytes.
 * @param expectsData True when the host is writing now, or will soon.
 * @returns The number of bytes read; null at the end of the stream.
 */
export type ReadWire = (
  buffer: Uint8Array,
  expectsData: boolean,
) => Promise<number | null> | number | null;

/** How long blocking reads may go on before the event loop runs, in milliseconds. */
const MAX_BLOCKED_MS = 10;

/** The largest blocking read: a quarter of an enlarged pipe, so that the host can refill it meanwhile. */
const MAX_SYNC_READ_BYTES = 256 * 1024;

/** The stream to read. */
interface WireInput {
  readSync(buffer: Uint8Array): number | null;
  read(buffer: Uint8Array): Promise<number | null>;
}

/**
 * Creates the function that reads from the host.
 *
 * @param stdin The process's own stdin.
 */
export function wireReader(stdin: WireInput): ReadWire {
  const policy = new BlockingPolicy();
  const turns = new EventLoopYield(MAX_BLOCKED_MS);
  /** When the last blocking read began; undefined after an asynchronous one. */
  let last: number | undefined;
  const readAsync = (buffer: Uint8Array) => {
    last = undefined;
    return stdin.read(buffer);
  };
  return (buffer, expectsData) => {
    if (!expectsData) return readAsync(buffer);
    const now = performance.now();
    // Includes the time to handle the message, which is usually short.
    if (last !== undefined) policy.record(now - last);
    last = now;
    if (turns.shouldYield || !policy.mayBlock()) return readAsync(buffer);
    try {
      return stdin.readSync(buffer.subarray(0, MAX_SYNC_READ_BYTES));
    } catch (error) {
      // A non-blocking pipe (EAGAIN).
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      return readAsync(buffer);
    }
  };
}
