// A temporary directory of this process's own. It is removed when it is no
// longer used, also if this process is killed.

import { join } from "@std/path";
import { guardDirectory, unguardDirectory } from "../process/cleanup_guard.ts";

/**
 * The longest base directory for sockets, in bytes: with the names that follow,
 * the path of a unix socket must fit into 107.
 */
const MAX_SOCKET_BASE_BYTES = 60;

/** How a {@linkcode TemporaryDirectory} is made. */
export interface TemporaryDirectoryOptions {
  /** The beginning of its name, for example `"baler-qemu-"`. */
  prefix: string;
  /** True when sockets are to be in it: `/tmp` is used where `TMPDIR` is too long for them. */
  forSockets?: boolean;
}

/**
 * A directory with an unguessable name, which only this user can read.
 *
 * @example
 * ```ts
 * import { TemporaryDirectory } from "@baler/baler/builder";
 *
 * await using directory = await TemporaryDirectory.create({ prefix: "seed-" });
 * await Deno.writeTextFile(`${directory.path}/user-data`, "#cloud-config\n");
 * ```
 */
export class TemporaryDirectory implements AsyncDisposable {
  /** Its absolute path. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Creates a temporary directory.
   *
   * @param options How it is named, and what it is for.
   * @throws {Error} When it cannot be created.
   */
  static async create(
    { prefix, forSockets = false }: TemporaryDirectoryOptions,
  ): Promise<TemporaryDirectory> {
    const path = join(
      baseDirectory(forSockets),
      prefix + crypto.randomUUID().slice(0, forSockets ? 13 : undefined),
    );
    await guardDirectory(path);
    try {
      await Deno.mkdir(path, { mode: 0o700 });
    } catch (error) {
      await unguardDirectory(path);
      throw new Error(
        `cannot create a temporary directory; TMPDIR must name a directory that can be written: ${
          (error as Error).message
        }`,
        { cause: error },
      );
    }
    return new TemporaryDirectory(path);
  }

  /** Removes the directory with its contents; one that is gone already is no error. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await Deno.remove(this.path, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    await unguardDirectory(this.path);
  }
}

function baseDirectory(forSockets: boolean): string {
  const { env } = Deno;
  if (Deno.build.os === "windows") {
    return env.get("TEMP") || env.get("TMP") || "C:\\Windows\\Temp";
  }
  const named = env.get("TMPDIR") || "/tmp";
  return forSockets &&
      new TextEncoder().encode(named).length > MAX_SOCKET_BASE_BYTES
    ? "/tmp"
    : named;
}
