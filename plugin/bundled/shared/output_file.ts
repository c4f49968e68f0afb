// An output file, which appears under its name when it is complete: it is written
// under another name in the same directory, and then renamed. If this process dies
// before, that file is removed.

import { basename, dirname, join } from "@std/path";
import { guardFile, unguardFile } from "../../process/cleanup_guard.ts";
import { writeAll } from "./write_all.ts";

/** How an {@linkcode OutputFile} is made. */
export interface OutputFileOptions {
  /** Its permission bits, less those in the umask, if there is no file yet. `0o666` by default. */
  mode?: number;
  /** The permission bits that it may have at most, even if the file that it replaces has more. */
  maxMode?: number;
}

/** A file that is being written. */
export class OutputFile implements AsyncDisposable {
  readonly #file: Deno.FsFile;
  /** The final path of the file, with symlinks resolved. */
  readonly #target: string;
  /** Where it is until then; undefined for what is written in place, such as a device. */
  readonly #partial: string | undefined;
  #isClosed = false;

  private constructor(
    file: Deno.FsFile,
    target: string,
    partial: string | undefined,
  ) {
    this.#file = file;
    this.#target = target;
    this.#partial = partial;
  }

  /**
   * Opens an output file. A file that is there already stays as it is until
   * {@linkcode commit}; a device or a named pipe is written directly.
   *
   * @param path Its absolute path.
   * @param options Its permission bits.
   * @throws {Error} When it cannot be opened; the error is Deno's.
   */
  static async open(
    path: string,
    { mode = 0o666, maxMode = 0o7777 }: OutputFileOptions = {},
  ): Promise<OutputFile> {
    const existing = await Deno.stat(path).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
    if (existing?.isDirectory) throw new Deno.errors.IsADirectory();
    if (existing !== undefined && !existing.isFile) return await inPlace(path);
    let target = path;
    if (existing !== undefined) {
      target = await Deno.realPath(path);
      // A rename would replace a file that this user may not write.
      (await Deno.open(path, { write: true })).close();
    }
    const partial = join(
      dirname(target),
      // The name of a file may have 255 bytes.
      `.${basename(target).slice(0, 50)}.${crypto.randomUUID()}.partial`,
    );
    const wanted = (existing?.mode ?? mode) & maxMode & 0o777;
    await guardFile(partial);
    try {
      const file = await Deno.open(partial, {
        write: true,
        createNew: true,
        mode: wanted,
      });
      const output = new OutputFile(file, target, partial);
      try {
        if (typeof existing?.mode === "number" && Deno.build.os !== "windows") {
          // A file that is replaced keeps its mode, whatever the umask is.
          await Deno.chmod(partial, wanted);
        }
      } catch (error) {
        await output[Symbol.asyncDispose]();
        throw error;
      }
      return output;
    } catch (error) {
      await unguardFile(partial);
      // The directory may be read-only while the file in it is not.
      const isDirectoryClosed = error instanceof Deno.errors.PermissionDenied ||
        error instanceof Deno.errors.NotCapable;
      if (existing === undefined || !isDirectoryClosed) throw error;
      return await inPlace(path);
    }

    async function inPlace(path: string): Promise<OutputFile> {
      const file = await Deno.open(path, { write: true, truncate: true });
      return new OutputFile(file, path, undefined);
    }
  }

  /**
   * Appends bytes.
   *
   * @param bytes The bytes.
   * @throws {Error} When they cannot be written.
   */
  async write(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#file, bytes);
  }

  /** A stream that writes to the file; it does not commit it when it is closed. */
  get writable(): WritableStream<Uint8Array> {
    return new WritableStream({ write: (chunk) => this.write(chunk) });
  }

  /**
   * Closes the file and puts it in its place.
   *
   * @throws {Error} When it cannot be renamed.
   */
  async commit(): Promise<void> {
    this.#close();
    if (this.#partial === undefined) return;
    try {
      await Deno.rename(this.#partial, this.#target);
    } catch (error) {
      await Deno.remove(this.#partial).catch(() => {});
      throw error;
    } finally {
      await unguardFile(this.#partial);
    }
  }

  /**
   * Like {@linkcode commit}, unless another process has made the file meanwhile.
   *
   * @returns False when the file exists; the written file is then removed.
   * @throws {Error} When it cannot be put in its place.
   */
  async commitNew(): Promise<boolean> {
    if (this.#partial === undefined) {
      await this.commit();
      return true;
    }
    try {
      // link(2) fails if the file exists, which rename(2) does not.
      await Deno.link(this.#partial, this.#target);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return false;
      // A file system without hard links.
      await this.commit();
      return true;
    } finally {
      await this[Symbol.asyncDispose]();
    }
  }

  /** Removes the written file, unless it was committed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#close();
    if (this.#partial === undefined) return;
    await Deno.remove(this.#partial).catch(() => {});
    await unguardFile(this.#partial);
  }

  #close(): void {
    this.#isClosed = true;
    this.#file.close();
  }
}
