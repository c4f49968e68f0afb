// A temporary file is gone when it is no longer used, however its use ends.

/** How a {@linkcode TemporaryFile} is made. */
export interface TemporaryFileOptions {
  /** What its name begins with. */
  prefix: string;
  /** What its name ends with, for example `".cmd"`. */
  suffix?: string;
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
  /**
   * @param path Where it is.
   */
  private constructor(readonly path: string) {}

  /**
   * Makes one.
   *
   * @param content What is in it.
   * @param options How it is named.
   * @throws {Error} When it cannot be written.
   */
  static async of(
    content: string,
    options: TemporaryFileOptions,
  ): Promise<TemporaryFile> {
    const file = new TemporaryFile(await Deno.makeTempFile(options));
    try {
      await Deno.writeTextFile(file.path, content);
      if (Deno.build.os !== "windows") await Deno.chmod(file.path, 0o700);
    } catch (error) {
      await file[Symbol.asyncDispose]();
      throw error;
    }
    return file;
  }

  /** Deletes it; one that is gone already is no error. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await Deno.remove(this.path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
