// The stdin of a child: writes bytes from memory and payloads that are spliced
// from pipe to pipe, in the order in which they were sent.

import type { SpliceBuffer } from "../../plugin/rpc/payload/spliced_payload.ts";
import { Pipe } from "./pipe.ts";

/** The stdin of a child. */
export class ChildStdin {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #pipe: Pipe;
  /** How many writes are in flight. */
  #writing = 0;
  /** The last write to Deno's stream, which writes in order. */
  #written: Promise<void> = Promise.resolve();
  /** The last queued write: those behind a splice wait for it. Undefined when none is queued. */
  #queue: Promise<void> | undefined;

  constructor({ pid, stdin }: Deno.ChildProcess) {
    this.#writer = stdin.getWriter();
    this.#pipe = new Pipe(pid, 0);
    // The exit of the process reports why its stdin was closed.
    this.#writer.closed.catch(() => {});
  }

  /** Whether no write is in flight. */
  get isIdle(): boolean {
    return this.#writing === 0;
  }

  /**
   * Writes bytes.
   *
   * @param bytes The bytes; they must not change until the promise settles.
   * @returns Resolves when they are written; rejects when the process has exited.
   */
  write(bytes: Uint8Array): Promise<void> {
    const write = () => this.#write(bytes);
    return this.#counted(
      bytes.length,
      () => this.#queue === undefined ? write() : this.#enqueue(write),
    );
  }

  /**
   * Writes a payload from a kernel buffer, without copying it into this
   * process's memory.
   *
   * @param buffer The payload.
   * @returns Resolves when it is written; rejects when the process has exited.
   */
  writeSpliced(buffer: SpliceBuffer): Promise<void> {
    const splice = () =>
      buffer.spliceTo(this.#pipe, (bytes) => this.#write(bytes));
    return this.#counted(buffer.length, () => this.#enqueue(splice));
  }

  /** Closes the stream when all writes are done. */
  close(): void {
    this.#enqueue(() => {
      this.#pipe.close();
      return this.#writer.close();
    }).catch(() => {});
  }

  /** Called when the process has exited. */
  processExited(): void {
    this.#pipe.close();
  }

  async #counted(length: number, work: () => Promise<void>): Promise<void> {
    this.#pipe.recordTransfer(length);
    this.#writing++;
    try {
      await work();
    } finally {
      this.#writing--;
    }
  }

  #write(bytes: Uint8Array): Promise<void> {
    return this.#written = this.#writer.write(bytes);
  }

  /** Runs an operation after all writes before it. */
  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = (this.#queue ?? this.#written.catch(() => {})).then(work);
    const queue = done.catch(() => {}).then(() => {
      if (this.#queue === queue) this.#queue = undefined;
    });
    this.#queue = queue;
    return done;
  }
}
