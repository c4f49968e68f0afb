// Reads a file in chunks: a disk image of any size needs bounded memory, can be
// cancelled and shows its progress.

import type { Ui } from "../../contract/ui.ts";

const CHUNK_BYTES = 256 * 1024;

/** Reports the progress of a piece of work, a hundred times at most. */
export class ByteProgress {
  #ui: Ui;
  #label: string;
  #total: number;
  #current = 0;
  #reported = 0;

  /**
   * Starts at 0 bytes.
   *
   * @param ui Where the progress is shown.
   * @param label The name of the work.
   * @param total The number of bytes in all.
   */
  constructor(ui: Ui, label: string, total: number) {
    this.#ui = ui;
    this.#label = label;
    this.#total = total;
  }

  /**
   * Counts bytes.
   *
   * @param bytes The number of bytes done since the last call.
   */
  async add(bytes: number): Promise<void> {
    this.#current += bytes;
    if (
      this.#current - this.#reported < Math.max(this.#total / 100, CHUNK_BYTES)
    ) {
      return;
    }
    this.#reported = this.#current;
    await this.#report(false);
  }

  /** Removes the progress bar. */
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

/** The arguments of {@linkcode fileChunks}. */
export interface FileChunksOptions {
  /** Stops reading when aborted. */
  signal: AbortSignal;
  /** Counts the bytes that were read. */
  progress: ByteProgress;
}

/**
 * Reads a file from its beginning to its end.
 *
 * @param path Its path.
 * @returns Its bytes, in chunks of up to 256 KiB that are not used again.
 * @throws {Error} When it cannot be opened or read, and the signal's reason when it is aborted.
 */
export async function* fileChunks(
  path: string,
  { signal, progress }: FileChunksOptions,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  using file = await Deno.open(path);
  while (true) {
    signal.throwIfAborted();
    const chunk = new Uint8Array(CHUNK_BYTES);
    const length = await file.read(chunk);
    if (length === null) return;
    await progress.add(length);
    yield length === CHUNK_BYTES ? chunk : chunk.subarray(0, length);
  }
}
