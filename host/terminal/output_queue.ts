// A queue in front of an output of the host. Its writes are asynchronous, so
// that an output that is not read blocks neither the event loop nor Ctrl-C;
// writers wait for room instead.

/** An output. */
export interface OutputSink {
  /** Writes some of the bytes; resolves to their number. */
  write(bytes: Uint8Array): Promise<number>;
  /** Called when a write fails; nothing is written to it from then on. */
  onError(error: Error): void;
}

/** How much is queued before writers have to wait, in bytes. */
export const MAX_QUEUED_BYTES: number = 1024 * 1024;

/** How much is written at a time, in bytes, unless one entry is larger. */
const WRITE_BYTES = 64 * 1024;

/** How long to wait before another attempt when a non-blocking descriptor is not ready, in milliseconds. */
const RETRY_MS = 5;

const encoder = new TextEncoder();

interface Entry {
  readonly sink: OutputSink;
  readonly content: string | Uint8Array;
}

/** Writes to one output, or to several whose relative order matters. */
export class OutputQueue {
  #entries: Entry[] = [];
  /** How much is queued: characters of strings are counted as bytes. */
  #bytes = 0;
  #isWriting = false;
  /** Whether entries without room are dropped, instead of making the writer wait. */
  #isDropping = false;
  #dropped = 0;
  readonly #closed = new Set<OutputSink>();
  #room: PromiseWithResolvers<void> | undefined;
  #idle: PromiseWithResolvers<void> | undefined;

  /**
   * Queues a string or bytes.
   *
   * @param sink The output.
   * @param content The string or bytes, which must not change afterwards.
   */
  add(sink: OutputSink, content: string | Uint8Array): void {
    if (content.length === 0 || this.#closed.has(sink)) return;
    if (this.#isDropping && this.#bytes >= MAX_QUEUED_BYTES) {
      this.#dropped++;
      return;
    }
    if (this.#dropped > 0) {
      const note = `(${this.#dropped} lines are missing here: the output was ` +
        "not read during the shutdown.)\n";
      this.#dropped = 0;
      this.#push({ sink, content: note });
    }
    this.#push({ sink, content });
    if (!this.#isWriting) {
      this.#isWriting = true;
      // Entries added in the same turn are written together.
      queueMicrotask(() => void this.#drain());
    }
  }

  /** Resolves when there is room; undefined where there is. */
  get room(): Promise<void> | undefined {
    if (this.#bytes < MAX_QUEUED_BYTES || this.#isDropping) return undefined;
    return (this.#room ??= Promise.withResolvers<void>()).promise;
  }

  /** Whether all has been written. */
  get isIdle(): boolean {
    return !this.#isWriting;
  }

  /** Drops entries without room from now on, instead of making writers wait. */
  stopWaiting(): void {
    this.#isDropping = true;
    this.#releaseWriters();
  }

  /** Resolves when all has been written. */
  flush(): Promise<void> {
    if (!this.#isWriting) return Promise.resolve();
    return (this.#idle ??= Promise.withResolvers<void>()).promise;
  }

  #push(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += entry.content.length;
  }

  #releaseWriters(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  async #drain(): Promise<void> {
    while (this.#entries.length > 0) {
      const { sink, bytes, count, length } = this.#next();
      await this.#writeAll(sink, bytes);
      this.#entries.splice(0, count);
      this.#bytes -= length;
      if (this.#bytes < MAX_QUEUED_BYTES / 2) this.#releaseWriters();
    }
    this.#isWriting = false;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  /** Joins the first entries that go to the same sink. */
  #next(): {
    sink: OutputSink;
    bytes: Uint8Array;
    count: number;
    length: number;
  } {
    const { sink, content } = this.#entries[0]!;
    let count = 1;
    let length = content.length;
    if (typeof content !== "string") {
      return { sink, bytes: content, count, length };
    }
    let text = content;
    for (; count < this.#entries.length; count++) {
      const next = this.#entries[count]!;
      if (next.sink !== sink || typeof next.content !== "string") break;
      if (length + next.content.length > WRITE_BYTES) break;
      text += next.content;
      length += next.content.length;
    }
    return { sink, bytes: encoder.encode(text), count, length };
  }

  async #writeAll(sink: OutputSink, bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0 && !this.#closed.has(sink)) {
      try {
        rest = rest.subarray(await sink.write(rest));
      } catch (error) {
        if (error instanceof Deno.errors.WouldBlock) {
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
          continue;
        }
        this.#closed.add(sink);
        sink.onError(error as Error);
      }
    }
  }
}
