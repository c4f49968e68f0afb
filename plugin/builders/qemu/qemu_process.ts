// A running QEMU: its process, its control connection, and what it last showed.

import { join } from "@std/path";
import { LocalProcess } from "../../builder/mod.ts";
import type { Ui } from "../../contract/ui.ts";
import { Qmp } from "./qmp.ts";
import { type Machine, qemuCommand } from "./qemu_command.ts";
import type { QemuConfig } from "./qemu_options.ts";

/** How many lines of the serial port are shown when a machine does not answer. */
const SERIAL_LINES = 20;

/** How much of QEMU's stderr an error shows, in characters. */
const MAX_STDERR_CHARS = 4096;

/**
 * Chooses the accelerator.
 *
 * @param wanted What the template wants.
 * @returns The accelerator, and why the machine will be slow, where it will.
 */
export async function chooseAccelerator(
  wanted: string | undefined,
): Promise<{ accelerator: string; reason?: string }> {
  if (wanted) return { accelerator: wanted };
  switch (Deno.build.os) {
    case "darwin":
      return { accelerator: "hvf" };
    case "windows":
      return { accelerator: "whpx" };
  }
  try {
    (await Deno.open("/dev/kvm", { read: true, write: true })).close();
    return { accelerator: "kvm" };
  } catch (error) {
    return {
      accelerator: "tcg",
      reason:
        `Emulating the processor, which is much slower than KVM: /dev/kvm ${
          error instanceof Deno.errors.NotFound
            ? "is not there"
            : "cannot be opened"
        }`,
    };
  }
}

/** A machine that runs. */
export class QemuProcess implements AsyncDisposable {
  /** Its control connection. */
  readonly qmp: Qmp;
  /** Resolves, when it has ended, with an error that says so. */
  readonly ended: Promise<Error>;
  /** False once it has ended. */
  isRunning = true;
  /** True once its disk is the result of the build. */
  isBuilt = false;
  readonly #process: LocalProcess;
  readonly #directory: string;
  #stderr = "";

  private constructor(argv: string[], qmp: Qmp, directory: string) {
    this.qmp = qmp;
    this.#directory = directory;
    const decoder = new TextDecoder();
    this.#process = new LocalProcess({
      argv,
      stdin: qmp.stdin,
      stdout: qmp.stdout,
      stderr: new WritableStream({
        write: (chunk) => {
          this.#stderr =
            (this.#stderr + decoder.decode(chunk, { stream: true }))
              .slice(-MAX_STDERR_CHARS);
        },
      }),
    });
    this.ended = this.#process.wait().then(
      (status) =>
        new Error(
          `QEMU has ended with status ${status}` +
            (this.#stderr.trim() ? `: ${this.#stderr.trim()}` : ""),
        ),
      (error) => error as Error,
    ).then((reason) => {
      this.isRunning = false;
      qmp.end(reason);
      return reason;
    });
  }

  /**
   * Starts a machine, and returns when QEMU answers.
   *
   * @param config The configuration.
   * @param machine What it is made of.
   * @throws {Error} When QEMU does not start, with what it wrote.
   */
  static async start(
    config: QemuConfig,
    machine: Omit<Machine, "serialLog">,
  ): Promise<QemuProcess> {
    const directory = await Deno.makeTempDir({ prefix: "baler-qemu-" });
    const serialLog = join(directory, "serial");
    const qmp = new Qmp();
    let qemu: QemuProcess;
    try {
      qemu = new QemuProcess(
        qemuCommand(config, { ...machine, serialLog }),
        qmp,
        directory,
      );
    } catch (error) {
      await Deno.remove(directory, { recursive: true });
      throw error;
    }
    try {
      await qmp.start();
      return qemu;
    } catch {
      const reason = await qemu.ended;
      await qemu[Symbol.asyncDispose]();
      throw reason;
    }
  }

  /** Ends it as a power cut does, its own buffers written. */
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
  async waitForEnd(
    timeoutMs: number,
    signal: AbortSignal,
    ui: Ui,
  ): Promise<void> {
    const late = AbortSignal.timeout(timeoutMs);
    const aborted = Promise.withResolvers<void>();
    const any = AbortSignal.any([signal, late]);
    any.addEventListener("abort", () => aborted.resolve(), { once: true });
    await Promise.race([this.ended, aborted.promise]);
    if (!this.isRunning) return;
    signal.throwIfAborted();
    await this.showState(ui);
    throw new Error(
      `the machine did not shut down within ${
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
    const serial = await Deno.readTextFile(join(this.#directory, "serial"))
      .catch(() => "");
    const lines = serial.split(/\r?\n/).filter((line) => line.trim() !== "")
      .slice(-SERIAL_LINES);
    if (lines.length > 0) {
      await ui.error(`The last lines of the serial port:\n${lines.join("\n")}`);
    }
    if (!this.isRunning) return;
    const path = await Deno.makeTempFile({
      prefix: "baler-screen-",
      suffix: ".png",
    });
    try {
      await this.qmp.execute("screendump", { filename: path, format: "png" });
      await ui.error(`A picture of the machine's screen: ${path}`);
    } catch {
      // A QEMU before 7.1 has no PNG; a machine may have no screen.
      await Deno.remove(path);
    }
  }

  /** Ends it, if it runs, and deletes its temporary files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    await Deno.remove(this.#directory, { recursive: true }).catch(() => {});
  }
}
