// The communicator "local": the machine that is being built is this one.

import { basename, join, resolve } from "@std/path";
import type {
  Communicator,
  DirectoryTransfer,
  Download,
  RemoteCommand,
  RunningCommand,
  Upload,
} from "../../contract/communicator.ts";
import { guardFile, unguardFile } from "../../process/cleanup_guard.ts";
import { osError, withOsError } from "../../files/os_error.ts";
import { LocalProcess } from "../../process/local_process.ts";
import type { GroupMember } from "../../process/process_group.ts";

/** How a {@linkcode LocalCommunicator} is made. */
export interface LocalCommunicatorOptions {
  /** The directory in which commands run, and of relative paths. */
  workingDirectory: string;
  /** Called when a command has ended and left processes running in the background. */
  onBackground?: (members: GroupMember[]) => void | Promise<void>;
}

/**
 * Runs commands and copies files on this machine.
 *
 * Processes that its commands leave running, and files that were uploaded as
 * temporary, are gone when it is disposed, or when this process dies.
 *
 * @example
 * ```ts ignore
 * import { LocalCommunicator } from "@baler/baler/builder";
 *
 * await using communicator = new LocalCommunicator({ workingDirectory: "/srv" });
 * const running = communicator.start({ command: "make install" });
 * console.log(await running.wait());
 * ```
 */
export class LocalCommunicator implements Communicator {
  readonly #workingDirectory: string;
  readonly #onBackground: LocalCommunicatorOptions["onBackground"];
  readonly #processes: LocalProcess[] = [];
  readonly #temporary = new Set<string>();

  /**
   * Starts nothing yet.
   *
   * @param options Where commands run.
   */
  constructor({ workingDirectory, onBackground }: LocalCommunicatorOptions) {
    this.#workingDirectory = workingDirectory;
    this.#onBackground = onBackground;
  }

  /** Starts a command in `/bin/sh`, or in `cmd` on Windows. */
  start(
    { command, stdin, stdout, stderr, signal }: RemoteCommand,
  ): RunningCommand {
    const shell = Deno.build.os === "windows"
      ? ["cmd", "/C"]
      : ["/bin/sh", "-c"];
    const process = new LocalProcess({
      argv: [...shell, command],
      cwd: this.#workingDirectory,
      stdin,
      stdout,
      stderr,
      signal,
      onBackground: this.#onBackground,
    });
    this.#processes.push(process);
    return {
      wait: async () => {
        const status = await process.wait();
        await this.#forgetRemoved();
        return status;
      },
    };
  }

  /** Writes a file; one that is created has its mode from the beginning. */
  async upload(
    { path, source, mode, exclusive, temporary, signal }: Upload,
  ): Promise<void> {
    const target = this.#resolve(path);
    try {
      if (temporary) {
        this.#temporary.add(target);
        await guardFile(target);
      }
      const file = await withOsError(
        "open",
        path,
        () => this.#create(target, mode, exclusive === true),
      );
      await source.pipeTo(file.writable, signal ? { signal } : {});
    } catch (error) {
      if (!source.locked) await source.cancel().catch(() => {});
      throw error;
    }
  }

  async #create(
    target: string,
    mode: number | undefined,
    isExclusive: boolean,
  ): Promise<Deno.FsFile> {
    const wanted = mode === undefined ? undefined : mode & 0o7777;
    const isPosix = Deno.build.os !== "windows";
    try {
      const file = await Deno.open(target, {
        write: true,
        createNew: true,
        mode: (wanted ?? 0o666) & 0o777,
      });
      // The umask may have taken bits away, and open(2) sets no setuid bit.
      if (wanted !== undefined && isPosix) {
        const { mode: given } = await file.stat();
        if ((given! & 0o7777) !== wanted) await Deno.chmod(target, wanted);
      }
      return file;
    } catch (error) {
      const exists = error instanceof Deno.errors.AlreadyExists ||
        error instanceof Deno.errors.IsADirectory;
      if (!exists || isExclusive) throw error;
    }
    const file = await Deno.open(target, { write: true, create: true });
    try {
      // Before the content is written, so that no other user can read it meanwhile.
      if (wanted !== undefined && isPosix) await Deno.chmod(target, wanted);
      await file.truncate();
      return file;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Copies a directory. */
  async uploadDir(transfer: DirectoryTransfer): Promise<void> {
    await this.#copy(transfer);
  }

  /** Reads a file. */
  async download({ path, destination, signal }: Download): Promise<void> {
    let file;
    try {
      file = await Deno.open(this.#resolve(path));
      if ((await file.stat()).isDirectory) {
        file.close();
        throw new Deno.errors.IsADirectory();
      }
    } catch (cause) {
      const error = osError("open", path, cause);
      await destination.abort(error);
      throw error;
    }
    await file.readable.pipeTo(destination, signal ? { signal } : {});
  }

  /** Copies a directory, or all that a path with wildcards matches. */
  async downloadDir(transfer: DirectoryTransfer): Promise<void> {
    const { source, destination } = transfer;
    if (!/[*?[]/.test(source)) return await this.#copy(transfer);
    const { glob } = await import("../../files/glob.ts");
    const found = await glob(source, this.#workingDirectory);
    if (found.length === 0) {
      throw osError("open", source, new Deno.errors.NotFound());
    }
    for (const path of found) {
      const from = this.#resolve(path);
      if ((await Deno.stat(from)).isDirectory) {
        await this.#copy({ ...transfer, source: from });
        continue;
      }
      transfer.signal?.throwIfAborted();
      const directory = this.#resolve(destination);
      await Deno.mkdir(directory, { recursive: true });
      await Deno.copyFile(from, join(directory, basename(from)));
    }
  }

  /** Ends what its commands have left running, and removes temporary files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#processes.map((process) => process[Symbol.asyncDispose]()),
    );
    for (const path of this.#temporary) {
      await Deno.remove(path).catch(() => {});
    }
    await this.#forgetRemoved();
  }

  // A temporary file that a command has removed may be made again by another,
  // and then it is that one's.
  async #forgetRemoved(): Promise<void> {
    for (const path of this.#temporary) {
      const isThere = await Deno.lstat(path).then(() => true, () => false);
      if (isThere) continue;
      this.#temporary.delete(path);
      await unguardFile(path);
    }
  }

  async #copy(transfer: DirectoryTransfer): Promise<void> {
    const { copyTree } = await import("./copy_tree.ts");
    // resolve() drops the separator at the end, which has a meaning here.
    const tail = /[/\\]$/.test(transfer.source) ? "/" : "";
    await copyTree({
      ...transfer,
      source: this.#resolve(transfer.source) + tail,
      destination: this.#resolve(transfer.destination),
    });
  }

  #resolve(path: string): string {
    return resolve(this.#workingDirectory, path);
  }
}
