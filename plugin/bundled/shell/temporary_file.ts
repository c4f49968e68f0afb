// A temporary file of this process. It is removed when it is no longer used, even if
// this process is killed.

import { join, resolve } from "@std/path";
import { guardFile, unguardFile } from "../../process/cleanup_guard.ts";
import { osError, withOsError } from "../../files/os_error.ts";
import { writeAll } from "../shared/write_all.ts";

/** How a {@linkcode TemporaryFile} is created. */
export interface TemporaryFileOptions {
  /** The beginning of its name. */
  prefix: string;
  /** The end of its name, for example `".cmd"`. */
  suffix?: string;
  /**
   * Removes the file immediately when aborted, even while another process has it open:
   * this process may have no time to wait for that one.
   */
  signal?: AbortSignal;
}

/**
 * A file in the system's directory for temporary files, with an unguessable
 * name, which only this user can read, write and run.
 *
 * @example
 * ```ts ignore
 * import { TemporaryFile } from "./temporary_file.ts";
 *
 * await using script = await TemporaryFile.create("echo hi\n", { prefix: "baler-" });
 * console.log(script.path);
 * ```
 */
export class TemporaryFile implements AsyncDisposable {
  /** Its absolute path. */
  readonly path: string;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => void this.#remove().catch(() => {});

  private constructor(path: string, signal: AbortSignal | undefined) {
    this.path = path;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /**
   * Creates a temporary file.
   *
   * @param content Its content.
   * @param options How it is named.
   * @throws {Error} When it cannot be created or written.
   */
  static async create(
    content: string,
    { prefix, suffix = "", signal }: TemporaryFileOptions,
  ): Promise<TemporaryFile> {
    const path = join(
      await temporaryDirectory(),
      `${prefix}-${crypto.randomUUID()}${suffix}`,
    );
    await guardFile(path);
    const file = new TemporaryFile(path, signal);
    try {
      using opened = await Deno.open(path, {
        write: true,
        createNew: true,
        mode: 0o700,
      }).catch((error) => {
        throw new Error(
          `cannot create a temporary file; TMPDIR must name a directory that can be written: ${
            osError("open", path, error).message
          }`,
          { cause: error },
        );
      });
      await withOsError(
        "write",
        path,
        () => writeAll(opened, new TextEncoder().encode(content)),
      );
    } catch (error) {
      // The error of the creation is more useful than that of the removal.
      await file[Symbol.asyncDispose]().catch(() => {});
      throw error;
    }
    return file;
  }

  /** Removes the file; ignores a file that does not exist any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    await this.#remove();
  }

  async #remove(): Promise<void> {
    try {
      await Deno.remove(this.path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    await unguardFile(this.path);
  }
}

/** The directory for temporary files: `$TMPDIR`, or the system's. */
async function temporaryDirectory(): Promise<string> {
  if (Deno.build.os === "windows") {
    const { tmpdir } = await import("node:os");
    return tmpdir();
  }
  const variable = "TMPDIR";
  const { state } = await Deno.permissions.query({ name: "env", variable });
  return resolve(state === "granted" && Deno.env.get(variable) || "/tmp");
}
