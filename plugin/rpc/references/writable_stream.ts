// Writable streams by reference: the sink that the peer writes to, and the stream that
// stands for one of the peer.

import { serializableReason } from "../value_kind.ts";
import { MAX_CALLS_IN_FLIGHT, type StreamCall } from "./stream_call.ts";

/** Writes to a stream of this side for the peer. */
export class WritableSink {
  /** The methods that the peer may call. */
  static readonly methods: ReadonlySet<string> = new Set([
    "write",
    "close",
    "abort",
  ]);

  readonly #stream: WritableStream<unknown>;
  #writer: WritableStreamDefaultWriter<unknown> | undefined;

  constructor(stream: WritableStream<unknown>) {
    this.#stream = stream;
  }

  /** The writer, which locks the stream. */
  get #lockedWriter(): WritableStreamDefaultWriter<unknown> {
    if (this.#writer === undefined) {
      this.#writer = this.#stream.getWriter();
      // A failure is reported by the write that fails.
      this.#writer.closed.catch(() => {});
      this.#writer.ready.catch(() => {});
    }
    return this.#writer;
  }

  /** Writes a chunk. */
  async write(chunk: unknown): Promise<void> {
    await this.#lockedWriter.write(chunk);
  }

  /** Closes the stream. */
  async close(): Promise<void> {
    await this.#lockedWriter.close();
  }

  /** Aborts the stream. */
  async abort(reason: unknown): Promise<void> {
    await this.#lockedWriter.abort(reason);
  }

  /** Aborts the stream if the peer has begun to write to it. */
  dispose(reason: unknown): void {
    this.#writer?.abort(reason).catch(() => {});
  }
}

/**
 * Makes the stream that stands for a writable stream of the peer.
 *
 * @param call Calls a method of the peer's stream.
 */
export function importWritable(call: StreamCall): WritableStream<unknown> {
  const inFlight: Promise<unknown>[] = [];
  let controller: WritableStreamDefaultController;
  let aborted: Promise<unknown> | undefined;
  const abortOnce = (reason: unknown) =>
    aborted ??= call("abort", [serializableReason(reason)]);
  return new WritableStream({
    start(streamController) {
      controller = streamController;
      // `abort` below is only called when no write is pending, which may be never:
      // the peer has to be told, so that it gives up the pending writes.
      controller.signal.addEventListener("abort", () => {
        abortOnce(controller.signal.reason).catch(() => {});
      });
    },
    async write(chunk) {
      const write = call("write", [chunk]);
      write.catch((error) => controller.error(error));
      inFlight.push(write);
      // The oldest first: its error becomes the error of the stream.
      if (inFlight.length >= MAX_CALLS_IN_FLIGHT) await inFlight.shift();
    },
    async close() {
      while (inFlight.length > 0) await inFlight.shift();
      await call("close", []);
    },
    async abort(reason) {
      await abortOnce(reason);
    },
  });
}
