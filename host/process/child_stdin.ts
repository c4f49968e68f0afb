// Writes to the stdin of a child: bytes from memory, and what a writer of the pipe
// itself moves into it, in the order of the calls.

import { Pipe } from "./pipe.ts";

/** The stdin of a child. */
export class ChildStdin {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #pipe: Pipe;
  /** How many writes are in flight. */
  #writing = 0;
  /** The last write that Deno was given; Deno keeps them in order. */
  #written: Promise<void> = Promise.resolve();
  /** The last write that waits for one that Deno does not know of; undefined where none does. */
  #queue: Promise<void> | undefined;

  constructor({ pid, stdin }: Deno.ChildProcess) {
    this.#writer = stdin.getWriter();
    this.#pipe = new Pipe(pid, 0);
    // A failed write is not an error of its own: the exit of the child tells the reason.
    this.#writer.closed.catch(() => {});
  }

  /** Whether all writes are done. */
  get isIdle(): boolean {
    return this.#writing === 0;
  }

  /**
   * Writes bytes.
   *
   * @param bytes The bytes, which must not change until they are written.
   * @returns A promise of the end of the write; rejects if the process has exited.
   */
  write(bytes: Uint8Array): Promise<void> {
    const write = () => this.#write(bytes);
    return this.#counted(
      bytes.length,
      () => this.#queue === undefined ? write() : this.#enqueue(write),
    );
  }

  /**
   * Lets a writer of the pipe write, behind all that was written before.
   *
   * @param length How many bytes it writes.
   * @param writer Writes to the pipe; gets a function that waits for room in the
   * pipe and writes bytes to it.
   * @returns A promise of the end of the write; rejects if the process has exited.
   */
  writeWith(
    length: number,
    writer: (
      pipe: Pipe,
      write: (bytes: Uint8Array) => Promise<void>,
    ) => Promise<void>,
  ): Promise<void> {
    const write = () => writer(this.#pipe, (bytes) => this.#write(bytes));
    return this.#counted(length, () => this.#enqueue(write));
  }

  /** Closes it behind all that was written. */
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

  /** Does work behind all earlier writes. */
  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = (this.#queue ?? this.#written.catch(() => {})).then(work);
    const queue = done.catch(() => {}).then(() => {
      if (this.#queue === queue) this.#queue = undefined;
    });
    this.#queue = queue;
    return done;
  }
}
