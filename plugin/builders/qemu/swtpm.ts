// The TPM of a machine: a process of swtpm, which emulates it.

import { join } from "@std/path";
import { TemporaryDirectory } from "../../builder/mod.ts";
import { LocalProcess } from "../../builder/mod.ts";

/** How much of swtpm's stderr is kept, in characters. */
const MAX_STDERR_CHARS = 4096;

/** A TPM that runs. */
export class Swtpm implements AsyncDisposable {
  /** The path of its control socket. */
  readonly socket: string;
  readonly #process: LocalProcess;
  readonly #directory: TemporaryDirectory;

  private constructor(
    socket: string,
    process: LocalProcess,
    directory: TemporaryDirectory,
  ) {
    this.socket = socket;
    this.#process = process;
    this.#directory = directory;
  }

  /**
   * Starts a TPM, and returns when its socket is there.
   *
   * @param isVersion1 Whether it is of version 1.2, not 2.0.
   * @param signal Stops when aborted.
   * @throws {Error} When swtpm is missing, or ends.
   */
  static async start(isVersion1: boolean, signal: AbortSignal): Promise<Swtpm> {
    const directory = await TemporaryDirectory.create({
      prefix: "baler-tpm-",
      forSockets: true,
    });
    const socket = join(directory.path, "tpm");
    let stderr = "";
    const decoder = new TextDecoder();
    try {
      const process = new LocalProcess({
        argv: [
          ...["swtpm", "socket", "--tpmstate", `dir=${directory.path}`],
          ...["--ctrl", `type=unixio,path=${socket}`],
          ...(isVersion1 ? [] : ["--tpm2"]),
        ],
        stderr: new WritableStream({
          write: (chunk) => {
            stderr = (stderr + decoder.decode(chunk, { stream: true }))
              .slice(-MAX_STDERR_CHARS);
          },
        }),
      });
      const swtpm = new Swtpm(socket, process, directory);
      try {
        await swtpm.#ready(signal, () => stderr.trim());
      } catch (error) {
        await process[Symbol.asyncDispose]();
        throw error;
      }
      return swtpm;
    } catch (error) {
      await directory[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #ready(signal: AbortSignal, output: () => string): Promise<void> {
    // Watched before the first look, so that no event is missed.
    const watcher = Deno.watchFs(this.#directory.path, { recursive: false });
    const stop = () => {
      try {
        watcher.close();
      } catch { /* It is closed. */ }
    };
    let status: number | undefined;
    void this.#process.wait().then((code) => {
      status = code;
      stop();
    }, stop);
    signal.addEventListener("abort", stop, { once: true });
    const isThere = () => Deno.lstat(this.socket).then(() => true, () => false);
    try {
      if (await isThere()) return;
      for await (const _ of watcher) if (await isThere()) return;
    } finally {
      signal.removeEventListener("abort", stop);
      stop();
    }
    signal.throwIfAborted();
    throw new Error(`swtpm exited with status ${status}: ${output()}`);
  }

  /** Ends it, and deletes its state. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    await this.#directory[Symbol.asyncDispose]();
  }
}
