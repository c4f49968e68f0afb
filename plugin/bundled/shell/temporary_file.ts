// A temporary file is gone when it is no longer used, however its use ends.

import { osError } from "../shared/os_error.ts";

/** How a {@linkcode TemporaryFile} is made. */
export interface TemporaryFileOptions {
  /** What its name begins with. */
  prefix: string;
  /** What its name ends with, for example `".cmd"`. */
  suffix?: string;
  /**
   * Deletes it at once when aborted, also under whoever still has it open: the
   * process may have no time to wait for them.
   */
  signal?: AbortSignal;
}

/**
 * A file in the system's folder for temporary files, which only this user may
 * read, write and run.
 *
 * @example
 * ```ts ignore
 * import { TemporaryFile } from "./temporary_file.ts";
 *
 * await using script = await TemporaryFile.of("echo hi\n", { prefix: "baler-" });
 * console.log(script.path);
 * ```
 */
export class TemporaryFile {
  readonly #signal: AbortSignal | undefined;
  readonly #abort = () => void this.#remove().catch(() => {});

  /**
   * @param path Where it is.
   * @param signal Deletes it when aborted.
   */
  private constructor(readonly path: string, signal?: AbortSignal) {
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  /**
   * Makes one.
   *
   * @param content What is in it.
   * @param options How it is named.
   * @throws {Error} When it cannot be written.
   */
  static async of(
    content: string,
    { signal, ...options }: TemporaryFileOptions,
  ): Promise<TemporaryFile> {
    let path: string;
    try {
      path = await Deno.makeTempFile(options);
    } catch (error) {
      const { message } = osError("open", "the folder for them", error);
      throw new Error(
        `no temporary file can be made; TMPDIR says where, and it has to be a folder that can be written: ${message}`,
        { cause: error },
      );
    }
    const file = new TemporaryFile(path, signal);
    try {
      await Deno.writeTextFile(file.path, content);
      if (Deno.build.os !== "windows") await Deno.chmod(file.path, 0o700);
    } catch (error) {
      await file[Symbol.asyncDispose]();
      throw osError("write", path, error);
    }
    return file;
  }

  /** Deletes it; one that is gone already is no error. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#abort);
    await this.#remove();
  }

  async #remove(): Promise<void> {
    try {
      await Deno.remove(this.path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
