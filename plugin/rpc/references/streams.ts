// Streams by reference: each chunk is a call, a few of them in flight at a
// time, so that a slow reader stops a fast writer and memory stays bounded.

import type { CallOptions } from "../outgoing_calls.ts";
import { serializableReason } from "../value_kind.ts";
import { ProtocolError } from "../protocol.ts";

/** Calls a method of a stream on the other side, for a third side if so. */
export type StreamCall = (
  method: string,
  args: unknown[],
  options?: CallOptions,
) => Promise<unknown>;

/** How a read is forwarded to the stream of a third process. */
const FORWARDED_READ: CallOptions = {
  captureStack: false,
  isForwarded: true,
};

/** How many calls may be on their way at a time: enough to fill the pipe. */
const WINDOW = 8;

/** Up to how many bytes one answer carries, where so much has come already. */
const MAX_BATCH_BYTES = 512 * 1024;

/** How many chunks one answer carries at the most. */
const MAX_BATCH_CHUNKS = 8;

/** In how many turns of its promises a stream gives what it has. */
const MICROTASKS = 8;

/** What a stream answers to a read: its end, a chunk, or several of bytes. */
interface Answer {
  done: boolean;
  value?: unknown;
  values?: Uint8Array[];
}

/** A read of our stream, and whether it has come to something. */
interface PrefetchedRead {
  result: Promise<ReadableStreamReadResult<unknown>>;
  isSettled: boolean;
}

/** How to read the streams of other sides that nobody here has read from yet. */
const unreadImports = new WeakMap<ReadableStream<unknown>, StreamCall>();

/** Our end of a stream of ours that the other side reads. */
export class ReadableSource {
  /** What the other side may call. */
  static readonly methods: ReadonlySet<string> = new Set(["read", "cancel"]);

  readonly #stream: ReadableStream<unknown>;
  // Taken at the first read: a stream that nobody reads there stays free here.
  #reader: ReadableStreamDefaultReader<unknown> | undefined;
  /** Set where the stream only passes through here, from a third side. */
  #forward: StreamCall | undefined;
  /** The reads of the other side, one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  /** What was read to see whether it is there, and was not. */
  #ahead: PrefetchedRead | undefined;

  constructor(stream: ReadableStream<unknown>) {
    this.#stream = stream;
  }

  read(most?: unknown): Promise<unknown> {
    if (this.#reader === undefined) {
      this.#forward = unreadImports.get(this.#stream);
      this.#reader = this.#stream.getReader();
    }
    if (this.#forward !== undefined) {
      const args = most === undefined ? [] : [most];
      return this.#forward("read", args, FORWARDED_READ);
    }
    const reader = this.#reader;
    const answer = this.#turn.then(() => this.#read(reader, most));
    this.#turn = answer.catch(() => {});
    return answer;
  }

  async #read(
    reader: ReadableStreamDefaultReader<unknown>,
    most: unknown,
  ): Promise<Answer> {
    const first = this.#ahead ?? readAhead(reader);
    this.#ahead = undefined;
    const { done, value } = await first.result;
    if (done) return { done };
    if (typeof most !== "number" || !(value instanceof Uint8Array)) {
      return { done, value };
    }
    const values = [value];
    let length = value.length;
    while (length < most && values.length < MAX_BATCH_CHUNKS) {
      const ahead = readAhead(reader);
      this.#ahead = ahead;
      for (let turn = 0; turn < MICROTASKS && !ahead.isSettled; turn++) {
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

  cancel(reason: unknown): Promise<void> {
    this.#reader ??= this.#stream.getReader();
    return this.#reader.cancel(reason);
  }

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

/** Our end of a stream of ours that the other side writes. */
export class WritableSink {
  /** What the other side may call. */
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

  get #taken(): WritableStreamDefaultWriter<unknown> {
    if (this.#writer === undefined) {
      this.#writer = this.#stream.getWriter();
      // Whoever writes is told by the write that fails.
      this.#writer.closed.catch(() => {});
      this.#writer.ready.catch(() => {});
    }
    return this.#writer;
  }

  async write(chunk: unknown): Promise<void> {
    await this.#taken.write(chunk);
  }

  async close(): Promise<void> {
    await this.#taken.close();
  }

  async abort(reason: unknown): Promise<void> {
    await this.#taken.abort(reason);
  }

  dispose(reason: unknown): void {
    this.#writer?.abort(reason).catch(() => {});
  }
}

/**
 * The stream that stands for one of theirs that we read.
 *
 * @param call Calls a method of it.
 * @param peer Who the other side is, for errors.
 */
export function importReadable(
  call: StreamCall,
  peer: string,
): ReadableStream<unknown> {
  const ahead: Promise<unknown>[] = [];
  const stream = new ReadableStream<unknown>({
    async pull(controller) {
      unreadImports.delete(stream);
      while (ahead.length < WINDOW) {
        const read = call("read", [MAX_BATCH_BYTES]);
        // Those behind the one that ends the stream are not waited for.
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

/** The chunks that a read was answered with; undefined at the end of the stream. */
function chunksOf(answer: unknown, peer: string): unknown[] | undefined {
  const { done, value, values } = (answer ?? {}) as Partial<Answer>;
  if (done === true) return undefined;
  if (done === false && values === undefined) return [value];
  // None at all would let the reader wait for ever.
  if (
    done === false && Array.isArray(values) && values.length > 0 &&
    values.length <= MAX_BATCH_CHUNKS &&
    values.every((chunk) => chunk instanceof Uint8Array)
  ) return values;
  throw new ProtocolError(
    `${peer} does not keep to baler's protocol: a read of a stream is answered with neither a chunk, nor 1 to ${MAX_BATCH_CHUNKS} chunks of bytes, nor its end`,
  );
}

/** The stream that stands for one of theirs that we write. */
export function importWritable(call: StreamCall): WritableStream<unknown> {
  const underWay: Promise<unknown>[] = [];
  let controller: WritableStreamDefaultController;
  let abandoned: Promise<unknown> | undefined;
  const abandon = (reason: unknown) =>
    abandoned ??= call("abort", [serializableReason(reason)]);
  return new WritableStream({
    start(itsController) {
      controller = itsController;
      // `abort` below comes only when no write waits any more, which may be for
      // ever: it is the other side that is to give up on those.
      controller.signal.addEventListener("abort", () => {
        abandon(controller.signal.reason).catch(() => {});
      });
    },
    async write(chunk) {
      const write = call("write", [chunk]);
      write.catch((error) => controller.error(error));
      underWay.push(write);
      // The oldest: where one fails, the stream fails with its error.
      if (underWay.length >= WINDOW) await underWay.shift();
    },
    async close() {
      while (underWay.length > 0) await underWay.shift();
      await call("close", []);
    },
    async abort(reason) {
      await abandon(reason);
    },
  });
}
