// The calls of a stream: each chunk is a call. Only a few are in flight at a time, so
// that a slow reader stops a fast writer and memory stays bounded.

import type { CallOptions } from "../outgoing_calls.ts";

/** Calls a method of a stream of the peer. */
export type StreamCall = (
  method: string,
  args: unknown[],
  options?: CallOptions,
) => Promise<unknown>;

/** The most calls of a stream in flight: enough to fill the pipe. */
export const MAX_CALLS_IN_FLIGHT = 8;
