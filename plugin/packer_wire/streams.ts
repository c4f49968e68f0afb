// Streams of bytes of a connection as the web's streams, which baler's
// interfaces have, and the other way round.

import type { YamuxStream } from "./yamux.ts";

/**
 * What the other side writes to a stream.
 *
 * @param stream The stream, or when it will be there. Cancelling resets it.
 */
export function readableOf(
  stream: YamuxStream | Promise<YamuxStream>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = await (await stream).read();
      if (chunk === null) controller.close();
      else controller.enqueue(chunk);
    },
    async cancel() {
      (await stream).reset();
    },
  }, { highWaterMark: 0 });
}

/**
 * Copies what the other side writes to a stream, until its end.
 *
 * @param stream What is read; it is reset when the destination fails, so that the other side's writes fail, too.
 * @param destination What is written; it is closed at the end.
 * @throws {Error} When either of them fails.
 */
export async function copyFrom(
  stream: YamuxStream,
  destination: WritableStream<Uint8Array>,
): Promise<void> {
  const writer = destination.getWriter();
  writer.closed.catch(() => {});
  try {
    for (let chunk; (chunk = await stream.read()) !== null;) {
      await writer.write(chunk);
    }
    // Go keeps a stream that it has ended until this side ends it, too.
    stream.end();
    await writer.close();
  } catch (error) {
    stream.reset();
    writer.abort(error).catch(() => {});
    throw error;
  } finally {
    writer.releaseLock();
  }
}

/**
 * Copies to a stream that the other side reads, until the end of the source.
 * This direction of the stream is then ended.
 *
 * @param source What is read; it is cancelled when the other side takes no more.
 * @param stream What is written; it is reset when the source fails, so that the other side does not take that for its end.
 * @throws {Error} When either of them fails.
 */
export async function copyTo(
  source: ReadableStream<Uint8Array>,
  stream: YamuxStream,
): Promise<void> {
  const reader = source.getReader();
  const writes = new WritesInFlight(stream);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      await writes.write(value);
    }
    await writes.settled();
    stream.end();
  } catch (error) {
    stream.reset();
    reader.cancel(error).catch(() => {});
    throw error;
  } finally {
    reader.releaseLock();
  }
}

/**
 * Writes what comes to a stream of the other side's.
 *
 * @param stream The stream. Closing ends this direction, aborting resets it.
 */
export function writableOf(stream: YamuxStream): WritableStream<Uint8Array> {
  const writes = new WritesInFlight(stream);
  return new WritableStream<Uint8Array>({
    write: (chunk) => writes.write(chunk),
    async close() {
      await writes.settled();
      stream.end();
    },
    abort: () => stream.reset(),
  });
}

/** How many writes may be in flight: enough to fill the connection while the next chunk is read. */
const MAX_WRITES = 8;

/** Writes to a stream, a few of them in flight. */
class WritesInFlight {
  readonly #stream: YamuxStream;
  readonly #writes: Promise<void>[] = [];
  #failed: Promise<void> | undefined;

  constructor(stream: YamuxStream) {
    this.#stream = stream;
  }

  /** Resolves when the next chunk may be written; rejects when an earlier one failed. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#failed !== undefined) await this.#failed;
    const write = this.#stream.write(chunk);
    write.catch(() => {
      this.#failed ??= write;
    });
    this.#writes.push(write);
    if (this.#writes.length >= MAX_WRITES) await this.#writes.shift();
  }

  /** Waits for all. */
  async settled(): Promise<void> {
    await Promise.all(this.#writes.splice(0));
  }
}
