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
import { LocalProcess } from "./local_process.ts";
import { osError } from "../shared/os_error.ts";

/** How a {@linkcode LocalCommunicator} is made. */
export interface LocalCommunicatorOptions {
  /** The folder in which commands run and against which relative paths are meant. */
  workingDirectory: string;
}

/**
 * Runs commands and copies files on this machine.
 *
 * What its commands leave running ends when it is disposed, or else with this
 * process.
 *
 * @example
 * ```ts ignore
 * import { LocalCommunicator } from "./local.ts";
 *
 * await using communicator = new LocalCommunicator({ workingDirectory: "/srv" });
 * const running = communicator.start({ command: "make install" });
 * console.log(await running.wait());
 * ```
 */
export class LocalCommunicator implements Communicator {
  readonly #workingDirectory: string;
  readonly #processes: LocalProcess[] = [];

  /**
   * Starts nothing yet.
   *
   * @param options Where commands run.
   */
  constructor({ workingDirectory }: LocalCommunicatorOptions) {
    this.#workingDirectory = workingDirectory;
  }

  /** Starts a command in `/bin/sh`, or in `cmd` on Windows. */
  start({ command, ...streams }: RemoteCommand): RunningCommand {
    const shell = Deno.build.os === "windows"
      ? ["cmd", "/C"]
      : ["/bin/sh", "-c"];
    const process = new LocalProcess({
      ...streams,
      argv: [...shell, command],
      cwd: this.#workingDirectory,
    });
    this.#processes.push(process);
    return process;
  }

  /** Writes a file. */
  async upload({ path, source, mode, signal }: Upload): Promise<void> {
    const target = this.#resolve(path);
    let file;
    try {
      file = await Deno.open(target, {
        write: true,
        create: true,
        truncate: true,
      });
    } catch (error) {
      await source.cancel();
      throw osError("open", path, error);
    }
    await source.pipeTo(file.writable, signal ? { signal } : {});
    if (mode !== undefined && Deno.build.os !== "windows") {
      await Deno.chmod(target, mode & 0o7777);
    }
  }

  /** Copies a folder. */
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
    } catch (error) {
      const told = osError("open", path, error);
      await destination.abort(told);
      throw told;
    }
    await file.readable.pipeTo(destination, signal ? { signal } : {});
  }

  /** Copies a folder, or all that a path with wildcards means. */
  async downloadDir(transfer: DirectoryTransfer): Promise<void> {
    const { source, destination } = transfer;
    if (!/[*?[]/.test(source)) return await this.#copy(transfer);
    const { glob } = await import("../shared/glob.ts");
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
      const folder = this.#resolve(destination);
      await Deno.mkdir(folder, { recursive: true });
      await Deno.copyFile(from, join(folder, basename(from)));
    }
  }

  /** Ends all that its commands have left running. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#processes.map((process) => process[Symbol.asyncDispose]()),
    );
  }

  async #copy(transfer: DirectoryTransfer): Promise<void> {
    const { copyTree } = await import("./copy_tree.ts");
    // resolve() drops the separator that says whether the folder itself goes.
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
