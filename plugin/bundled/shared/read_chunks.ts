// A file's bytes, piece by piece, so that a disk image of any size passes
// through a bounded memory, can be stopped, and shows how far it has come.

import type { Ui } from "../../contract/ui.ts";

const CHUNK = 256 * 1024;

/** Tells the person how far a piece of work has come, a hundred times at most. */
export class ByteProgress {
  #ui: Ui;
  #label: string;
  #total: number;
  #current = 0;
  #reported = 0;

  /**
   * Starts at nothing.
   *
   * @param ui Where it shows.
   * @param label What is being done.
   * @param total How many bytes there are to do.
   */
  constructor(ui: Ui, label: string, total: number) {
    this.#ui = ui;
    this.#label = label;
    this.#total = total;
  }

  /**
   * Counts bytes that are done.
   *
   * @param bytes How many.
   */
  async add(bytes: number): Promise<void> {
    this.#current += bytes;
    if (this.#current - this.#reported < Math.max(this.#total / 100, CHUNK)) {
      return;
    }
    this.#reported = this.#current;
    await this.#report(false);
  }

  /** Takes the bar away. */
  async end(): Promise<void> {
    await this.#report(true);
  }

  async #report(done: boolean): Promise<void> {
    await this.#ui.progress({
      label: this.#label,
      current: this.#current,
      total: this.#total,
      done,
    });
  }
}

/** How a file's bytes are read. */
export interface FileChunksOptions {
  /** Stops the reading when aborted. */
  signal: AbortSignal;
  /** Counts the bytes that were read. */
  progress: ByteProgress;
}

/**
 * Reads a file from its beginning to its end.
 *
 * @param path Where it is.
 * @returns Its bytes, in pieces of up to 256 KiB that are the receiver's to keep.
 * @throws {Error} When it cannot be opened or read, and the signal's reason when it is aborted.
 */
export async function* fileChunks(
  path: string,
  { signal, progress }: FileChunksOptions,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  using file = await Deno.open(path);
  while (true) {
    signal.throwIfAborted();
    const chunk = new Uint8Array(CHUNK);
    const length = await file.read(chunk);
    if (length === null) return;
    await progress.add(length);
    yield length === CHUNK ? chunk : chunk.subarray(0, length);
  }
}
