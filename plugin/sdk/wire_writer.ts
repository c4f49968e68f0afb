// Writes messages to stdout: blocking while the host reads quickly,
// asynchronous otherwise.

import type { Transport } from "../rpc/transport.ts";
import { BlockingPolicy } from "./blocking_policy.ts";

/** The size from which on a write may have to wait for the host to read, in bytes. */
const LARGE_WRITE_BYTES = 32 * 1024;

/** The largest blocking write whose duration is measured, in bytes. */
const MAX_SYNC_WRITE_BYTES = 256 * 1024;

/** The stream to write. */
interface WireOutput {
  writeSync(bytes: Uint8Array): number;
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * Creates the function that writes to the host. A write blocks while the pipe is
 * full, and the host always drains it. When the host is slow, the rest is written
 * asynchronously while the plugin continues.
 *
 * @param stdout The process's own stdout.
 */
export function wireWriter(stdout: WireOutput): Transport["write"] {
  const policy = new BlockingPolicy();
  let queued = 0;
  let queue = Promise.resolve();
  const writeAsync = async (bytes: Uint8Array) => {
    while (bytes.length > 0) bytes = bytes.subarray(await stdout.write(bytes));
  };
  return (bytes) => {
    try {
      while (queued === 0) {
        let count: number;
        if (bytes.length < LARGE_WRITE_BYTES) count = stdout.writeSync(bytes);
        else if (!policy.mayBlock()) break;
        else {
          const begin = performance.now();
          count = stdout.writeSync(bytes.subarray(0, MAX_SYNC_WRITE_BYTES));
          policy.record(performance.now() - begin);
        }
        if (count === bytes.length) return;
        bytes = bytes.subarray(count);
      }
    } catch (error) {
      // The host has exited. The end of stdin, which follows, closes the connection.
      if (error instanceof Deno.errors.BrokenPipe) return;
      // A non-blocking pipe (EAGAIN).
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
    }
    queued++;
    queue = queue.then(() => writeAsync(bytes)).catch(() => {}).finally(() => {
      queued--;
    });
    return queue;
  };
}
