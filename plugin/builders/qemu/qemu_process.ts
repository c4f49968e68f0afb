// A running QEMU: its process, its control connection, and what it last showed.

import { LocalProcess, TemporaryDirectory } from "../../builder/mod.ts";
import type { Ui } from "../../contract/ui.ts";
import { Channel } from "./channel.ts";
import type { Channels } from "./qemu_command.ts";
import { Qmp, type QmpEvent } from "./qmp.ts";

/** How many lines of the serial port are shown when a machine cannot be reached. */
const SERIAL_LINES = 20;

/** How much is kept of QEMU's output and of the serial port, in characters. */
const MAX_TEXT_CHARS = 64 * 1024;

/** How {@linkcode QemuProcess.start} starts a machine. */
export interface QemuProcessOptions {
  /** The QEMU program. */
  readonly program: string;
  /** Makes its arguments. */
  readonly args: (channels: Channels) => readonly string[];
  /** The directory in which it runs. */
  readonly cwd: string;
  /** Called with QEMU's events. */
  readonly onEvent?: (event: QmpEvent) => void;
}

/** A machine that runs. */
export class QemuProcess implements AsyncDisposable {
  /** Resolves, when the process has ended, with an error that tells how. */
  readonly ended: Promise<Error>;
  /** False once it has ended. */
  isRunning = true;
  /** True once the machine is about to shut down: its end is then no failure. */
  isExpectedToEnd = false;
  readonly #process: LocalProcess;
  readonly #directory: TemporaryDirectory;
  readonly #channels: { readonly qmp: Channel; readonly serial: Channel };
  readonly #output = new TextTail();
  readonly #serial = new TextTail();
  #qmp: Qmp | undefined;

  private constructor(
    { program, args, cwd }: QemuProcessOptions,
    directory: TemporaryDirectory,
  ) {
    this.#directory = directory;
    this.#channels = {
      qmp: new Channel(directory.path, "qmp"),
      serial: new Channel(directory.path, "serial"),
    };
    try {
      this.#process = new LocalProcess({
        argv: [
          program,
          ...args({
            qmp: this.#channels.qmp.device,
            serial: this.#channels.serial.device,
          }),
        ],
        cwd,
        stdout: this.#output.writable(),
        stderr: this.#output.writable(),
      });
    } catch (error) {
      this.#closeChannels();
      throw error;
    }
    void this.#channels.serial.connected().then((connection) =>
      connection?.readable.pipeTo(this.#serial.writable())
    ).catch(() => {});
    this.ended = this.#process.wait().then(
      (status) => new Error(`QEMU exited with status ${status}`),
      (error) => error as Error,
    ).then((error) => {
      const output = this.#output.text.trim();
      if (output !== "") error.message += `: ${output}`;
      this.isRunning = false;
      this.#qmp?.close(error);
      this.#closeChannels();
      return error;
    });
  }

  /**
   * Starts a machine, and returns when QEMU accepts commands.
   *
   * @param options The command.
   * @throws {Error} When QEMU does not start, with what it wrote.
   */
  static async start(options: QemuProcessOptions): Promise<QemuProcess> {
    const directory = await TemporaryDirectory.create({
      prefix: "baler-qemu-",
      forSockets: true,
    });
    let qemu: QemuProcess;
    try {
      qemu = new QemuProcess(options, directory);
    } catch (error) {
      await directory[Symbol.asyncDispose]();
      throw error;
    }
    try {
      const connection = await Promise.race([
        qemu.#channels.qmp.connected(),
        qemu.ended.then(() => undefined),
      ]);
      if (connection === undefined) throw await qemu.ended;
      qemu.#qmp = new Qmp(connection, options.onEvent);
      await qemu.#qmp.start();
      return qemu;
    } catch (error) {
      const reason = qemu.isRunning ? error : await qemu.ended;
      await qemu[Symbol.asyncDispose]();
      throw reason;
    }
  }

  /** Its QMP connection. */
  get qmp(): Qmp {
    return this.#qmp!;
  }

  /** Ends it as a power cut does, with its own buffers written. */
  async quit(): Promise<void> {
    await this.qmp.execute("quit").catch(() => {});
  }

  /**
   * Waits until the machine has shut down.
   *
   * @param timeoutMs How long, in milliseconds.
   * @param signal Stops when aborted.
   * @param ui Where its state is shown when it does not.
   * @throws {Error} When it does not in time.
   */
  async waitForShutdown(
    timeoutMs: number,
    signal: AbortSignal,
    ui: Ui,
  ): Promise<void> {
    const aborted = Promise.withResolvers<void>();
    const either = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    either.addEventListener("abort", () => aborted.resolve(), { once: true });
    await Promise.race([this.ended, aborted.promise]);
    if (!this.isRunning) return;
    signal.throwIfAborted();
    await this.showState(ui);
    throw new Error(
      `Timeout while waiting for the machine to shut down: ${
        timeoutMs / 1000
      } s (shutdown_timeout)`,
    );
  }

  /**
   * Shows the last lines of the serial port, and keeps a picture of the screen.
   *
   * @param ui Where it shows them.
   */
  async showState(ui: Ui): Promise<void> {
    // A machine whose serial port is QEMU's stdout writes there.
    const text = this.#serial.text || this.#output.text;
    const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "")
      .slice(-SERIAL_LINES);
    if (lines.length > 0) {
      await ui.error(`The last lines of the serial port:\n${lines.join("\n")}`);
    }
    if (!this.isRunning) return;
    const path = await this.#screenshot();
    if (path !== undefined) {
      await ui.error(`A picture of the machine's screen: ${path}`);
    }
  }

  /** Makes a picture of the screen: a PNG, or PPM from a QEMU before 7.1. */
  async #screenshot(): Promise<string | undefined> {
    for (const format of ["png", undefined]) {
      const filename = await Deno.makeTempFile({
        prefix: "baler-screen-",
        suffix: `.${format ?? "ppm"}`,
      });
      try {
        await this.qmp.execute("screendump", {
          filename,
          ...(format === undefined ? {} : { format }),
        });
        return filename;
      } catch {
        // No such format, or no screen.
        await Deno.remove(filename);
      }
    }
  }

  /** Ends it, if it runs, and deletes its temporary files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    this.#closeChannels();
    await this.#directory[Symbol.asyncDispose]();
  }

  #closeChannels(): void {
    for (const channel of Object.values(this.#channels)) {
      channel[Symbol.dispose]();
    }
  }
}

/** The end of a text that may be long. */
class TextTail {
  text = "";

  writable(): WritableStream<Uint8Array> {
    const decoder = new TextDecoder();
    return new WritableStream({
      write: (chunk) => {
        this.text = (this.text + decoder.decode(chunk, { stream: true }))
          .slice(-MAX_TEXT_CHARS);
      },
    });
  }
}
