// Readable streams by reference: the source that the peer reads, and the stream that
// stands for one of the peer.

import type { CallOptions } from "../outgoing_calls.ts";
import { ProtocolError } from "../protocol.ts";
import { serializableReason } from "../value_kind.ts";
import { MAX_CALLS_IN_FLIGHT, type StreamCall } from "./stream_call.ts";

/** Options of a read that is forwarded from one connection to another. */
const FORWARDED_READ: CallOptions = {
  captureStack: false,
  isForwarded: true,
};

/** How much is read for one response, in bytes, while chunks are available without waiting. */
const MAX_BATCH_BYTES = 512 * 1024;

/** The most chunks in one response. */
const MAX_BATCH_CHUNKS = 8;

/** How many microtasks a read may take to count as available without waiting. */
const READ_MICROTASKS = 8;

/** The result of a read: the end of the stream, one chunk, or several chunks of bytes. */
interface ReadResult {
  done: boolean;
  value?: unknown;
  values?: Uint8Array[];
}

/** A read ahead of the peer's next one. */
interface PrefetchedRead {
  result: Promise<ReadableStreamReadResult<unknown>>;
  isSettled: boolean;
}

/** The calls of imported streams that have not been read from: such a stream can be forwarded. */
const unreadImports = new WeakMap<ReadableStream<unknown>, StreamCall>();

/** Reads a stream of this side for the peer. */
export class ReadableSource {
  /** The methods that the peer may call. */
  static readonly methods: ReadonlySet<string> = new Set(["read", "cancel"]);

  readonly #stream: ReadableStream<unknown>;
  // Locked by the first read: until then the stream can be read on this side.
  #reader: ReadableStreamDefaultReader<unknown> | undefined;
  /** Reads the stream where another connection imported it, so that chunks are only forwarded. */
  #forward: StreamCall | undefined;
  /** The last read of the peer; the next one waits for it. */
  #lastRead: Promise<unknown> = Promise.resolve();
  /** A read that did not complete within {@linkcode READ_MICROTASKS}, for the next response. */
  #ahead: PrefetchedRead | undefined;

  constructor(stream: ReadableStream<unknown>) {
    this.#stream = stream;
  }

  /**
   * Reads the next chunk, or several chunks of bytes that are available.
   *
   * @param maxBytes How many bytes are wanted; only one chunk unless given.
   */
  read(maxBytes?: unknown): Promise<unknown> {
    if (this.#reader === undefined) {
      this.#forward = unreadImports.get(this.#stream);
      this.#reader = this.#stream.getReader();
    }
    if (this.#forward !== undefined) {
      const args = maxBytes === undefined ? [] : [maxBytes];
      return this.#forward("read", args, FORWARDED_READ);
    }
    const reader = this.#reader;
    const result = this.#lastRead.then(() => this.#read(reader, maxBytes));
    this.#lastRead = result.catch(() => {});
    return result;
  }

  async #read(
    reader: ReadableStreamDefaultReader<unknown>,
    maxBytes: unknown,
  ): Promise<ReadResult> {
    const first = this.#ahead ?? readAhead(reader);
    this.#ahead = undefined;
    const { done, value } = await first.result;
    if (done) return { done };
    if (typeof maxBytes !== "number" || !(value instanceof Uint8Array)) {
      return { done, value };
    }
    const values = [value];
    let length = value.length;
    while (length < maxBytes && values.length < MAX_BATCH_CHUNKS) {
      const ahead = readAhead(reader);
      this.#ahead = ahead;
      for (let step = 0; step < READ_MICROTASKS && !ahead.isSettled; step++) {
        await null;
      }
      if (!ahead.isSettled) break;
      const next = await ahead.result.catch(() => undefined);
      if (!(next?.value instanceof Uint8Array)) break;
      this.#ahead = undefined;
      values.push(next.value);
      length += next.value.length;
    }
    return values.length === 1 ? { done, value } : { done, values };
  }

  /** Cancels the stream. */
  cancel(reason: unknown): Promise<void> {
    this.#reader ??= this.#stream.getReader();
    return this.#reader.cancel(reason);
  }

  /** Cancels the stream if the peer has begun to read it. */
  dispose(reason: unknown): void {
    this.#reader?.cancel(reason).catch(() => {});
  }
}

function readAhead(
  reader: ReadableStreamDefaultReader<unknown>,
): PrefetchedRead {
  const ahead: PrefetchedRead = { result: reader.read(), isSettled: false };
  const settled = () => {
    ahead.isSettled = true;
  };
  ahead.result.then(settled, settled);
  return ahead;
}

/**
 * Makes the stream that stands for a readable stream of the peer.
 *
 * @param call Calls a method of the peer's stream.
 * @param peer The name of the peer, for errors.
 */
export function importReadable(
  call: StreamCall,
  peer: string,
): ReadableStream<unknown> {
  const ahead: Promise<unknown>[] = [];
  const stream = new ReadableStream<unknown>({
    async pull(controller) {
      unreadImports.delete(stream);
      while (ahead.length < MAX_CALLS_IN_FLIGHT) {
        const read = call("read", [MAX_BATCH_BYTES]);
        // Reads behind the end of the stream are never awaited.
        read.catch(() => {});
        ahead.push(read);
      }
      const chunks = chunksOf(await ahead.shift(), peer);
      if (chunks === undefined) return controller.close();
      for (const chunk of chunks) controller.enqueue(chunk);
    },
    async cancel(reason) {
      await call("cancel", [serializableReason(reason)]);
    },
  }, { highWaterMark: 0 });
  unreadImports.set(stream, call);
  return stream;
}

/** Returns the chunks of a read; undefined at the end of the stream. */
function chunksOf(result: unknown, peer: string): unknown[] | undefined {
  const { done, value, values } = (result ?? {}) as Partial<ReadResult>;
  if (done === true) return undefined;
  if (done === false && values === undefined) return [value];
  // An empty list would make the reader wait forever.
  if (
    done === false && Array.isArray(values) && values.length > 0 &&
    values.length <= MAX_BATCH_CHUNKS &&
    values.every((chunk) => chunk instanceof Uint8Array)
  ) return values;
  throw new ProtocolError(
    `${peer} violates baler's protocol: invalid result of a stream's read: it must be a chunk, 1 to ${MAX_BATCH_CHUNKS} chunks of bytes, or the end`,
  );
}
