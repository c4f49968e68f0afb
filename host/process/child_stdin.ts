// What a child reads: all that is written to its stdin, and what has come past
// this process's memory, in the order in which it was sent.

import type { SpliceBuffer } from "../../plugin/rpc/payload/spliced_payload.ts";
import { Pipe } from "./pipe.ts";

/** The stdin of a child. */
export class ChildStdin {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #pipe: Pipe;
  /** How many writes are in flight. */
  #writing = 0;
  /** The last that Deno was given, which does them in their order. */
  #written: Promise<void> = Promise.resolve();
  /** The last of those that wait for what Deno does not do; absent where none does. */
  #queue: Promise<void> | undefined;

  constructor({ pid, stdin }: Deno.ChildProcess) {
    this.#writer = stdin.getWriter();
    this.#pipe = new Pipe(pid, 0);
    // What it does not read it will not read: its exit tells the reason.
    this.#writer.closed.catch(() => {});
  }

  /** Whether all is written. */
  get isIdle(): boolean {
    return this.#writing === 0;
  }

  /**
   * Writes to it.
   *
   * @param bytes What to write; not to be changed until it is written.
   * @returns When that is; rejects where the process is gone.
   */
  write(bytes: Uint8Array): Promise<void> {
    const write = () => this.#write(bytes);
    return this.#counted(
      bytes.length,
      () => this.#queue === undefined ? write() : this.#enqueue(write),
    );
  }

  /**
   * Writes what has come past this process's memory.
   *
   * @param bypass What to write.
   * @returns When it is written; rejects where the process is gone.
   */
  writeSpliced(bypass: SpliceBuffer): Promise<void> {
    const pour = () =>
      bypass.spliceTo(this.#pipe, (bytes) => this.#write(bytes));
    return this.#counted(bypass.length, () => this.#enqueue(pour));
  }

  /** Ends it, once all that was written has been taken. */
  close(): void {
    this.#enqueue(() => {
      this.#pipe.close();
      return this.#writer.close();
    }).catch(() => {});
  }

  /** Takes that the process is gone. */
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

  /** Does something when all before it is done. */
  #enqueue(work: () => Promise<void>): Promise<void> {
    const turn = (this.#queue ?? this.#written.catch(() => {})).then(work);
    const queue = turn.catch(() => {}).then(() => {
      if (this.#queue === queue) this.#queue = undefined;
    });
    this.#queue = queue;
    return turn;
  }
}
