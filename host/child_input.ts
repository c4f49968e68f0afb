// What a child reads: all that is written to its stdin, and what has come past
// this process's memory, in the order in which it was sent.

import type { Bypass } from "../plugin/rpc/bypass.ts";
import { Pipe } from "./pipe.ts";

/** The stdin of a child. */
export class ChildInput {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #pipe: Pipe;
  /** How many writes are under way. */
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
  async write(bytes: Uint8Array): Promise<void> {
    this.#pipe.passed(bytes.length);
    this.#writing++;
    try {
      if (this.#queue === undefined) await this.#write(bytes);
      else await this.#inTurn(() => this.#write(bytes));
    } finally {
      this.#writing--;
    }
  }

  /**
   * Writes what has come past this process's memory.
   *
   * @param bypass What to write.
   * @param length How many bytes that is.
   * @returns When it is written; rejects where the process is gone.
   */
  async pour(bypass: Bypass, length: number): Promise<void> {
    this.#pipe.passed(length);
    this.#writing++;
    try {
      await this.#inTurn(async () => {
        await this.#written.catch(() => {});
        await bypass.moveTo(this.#pipe, (bytes) => this.#write(bytes));
      });
    } finally {
      this.#writing--;
    }
  }

  /** Ends it, once all that was written has been taken. */
  close(): void {
    this.#inTurn(async () => {
      await this.#written.catch(() => {});
      this.#pipe.close();
      await this.#writer.close();
    }).catch(() => {});
  }

  /** Takes that the process is gone. */
  gone(): void {
    this.#pipe.close();
  }

  #write(bytes: Uint8Array): Promise<void> {
    return this.#written = this.#writer.write(bytes);
  }

  /** Does something when all before it is done. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#queue === undefined ? work() : this.#queue.then(work);
    const queue = turn.catch(() => {}).then(() => {
      if (this.#queue === queue) this.#queue = undefined;
    });
    this.#queue = queue;
    return turn;
  }
}
