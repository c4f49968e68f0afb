// A temporary file is gone when it is no longer used, however its use ends.

import { osError } from "./os_error.ts";

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
    const file = new TemporaryFile(path);
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
    try {
      await Deno.remove(this.path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
