// Streams by reference: each chunk is a call, a few of them under way at a
// time, so that a slow reader stops a fast writer and memory stays bounded.

/** Calls a method of a stream on the other side. */
type Call = (method: string, args: unknown[]) => Promise<unknown>;

/** How many chunks may be on their way at a time: enough to fill the pipe. */
const WINDOW = 8;

/** Our end of a stream of ours that the other side reads. */
export class ReadableSource {
  /** What the other side may call. */
  static readonly methods: ReadonlySet<string> = new Set(["read", "cancel"]);

  readonly #stream: ReadableStream<unknown>;
  // Taken at the first read: a stream that nobody reads there stays free here.
  #reader: ReadableStreamDefaultReader<unknown> | undefined;

  constructor(stream: ReadableStream<unknown>) {
    this.#stream = stream;
  }

  async read(): Promise<{ done: boolean; value?: unknown }> {
    this.#reader ??= this.#stream.getReader();
    const { done, value } = await this.#reader.read();
    return done ? { done } : { done, value };
  }

  cancel(reason: unknown): Promise<void> {
    this.#reader ??= this.#stream.getReader();
    return this.#reader.cancel(reason);
  }

  dispose(reason: unknown): void {
    this.#reader?.cancel(reason).catch(() => {});
  }
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

/** The stream that stands for one of theirs that we read. */
export function importReadable(call: Call): ReadableStream<unknown> {
  const ahead: Promise<unknown>[] = [];
  return new ReadableStream({
    async pull(controller) {
      while (ahead.length < WINDOW) {
        const read = call("read", []);
        // Those behind the one that ends the stream are not waited for.
        read.catch(() => {});
        ahead.push(read);
      }
      const { done, value } = await ahead.shift() as {
        done: boolean;
        value: unknown;
      };
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel(reason) {
      await call("cancel", [reason]);
    },
  }, { highWaterMark: 0 });
}

/** The stream that stands for one of theirs that we write. */
export function importWritable(call: Call): WritableStream<unknown> {
  const underWay: Promise<unknown>[] = [];
  return new WritableStream({
    async write(chunk) {
      const write = call("write", [chunk]);
      write.catch(() => {});
      underWay.push(write);
      // The oldest: where one fails, the stream fails with its error.
      if (underWay.length >= WINDOW) await underWay.shift();
    },
    async close() {
      while (underWay.length > 0) await underWay.shift();
      await call("close", []);
    },
    async abort(reason) {
      await call("abort", [reason]);
    },
  });
}
