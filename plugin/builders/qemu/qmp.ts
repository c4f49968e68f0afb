// QMP, QEMU's control protocol, over the process's stdin and stdout.
// Source: https://www.qemu.org/docs/master/interop/qmp-spec.html

import type { BootAction } from "../../builder/boot_command.ts";
import { delay } from "../../common/delay.ts";

/** The longest line that is read, in characters. */
const MAX_LINE_CHARS = 1024 * 1024;

/** A client of one QEMU. */
export class Qmp {
  /** What QEMU reads. */
  readonly stdin: ReadableStream<Uint8Array>;
  /** What QEMU writes. */
  readonly stdout: WritableStream<Uint8Array>;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  readonly #pending: PromiseWithResolvers<unknown>[] = [];
  readonly #greeted = Promise.withResolvers<void>();
  #line = "";
  #end: Error | undefined;

  /** Waits for a QEMU that reads and writes its streams. */
  constructor() {
    const decoder = new TextDecoder();
    this.stdin = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
    });
    this.stdout = new WritableStream({
      write: (chunk) => this.#receive(decoder.decode(chunk, { stream: true })),
      close: () => this.end(new Error("QEMU has ended")),
    });
    this.#greeted.promise.catch(() => {});
  }

  /**
   * Waits for QEMU's greeting, and makes it listen.
   *
   * @throws {Error} When QEMU ends first.
   */
  async start(): Promise<void> {
    await this.#greeted.promise;
    await this.execute("qmp_capabilities");
  }

  /**
   * Has QEMU do something.
   *
   * @param execute The command.
   * @param args Its arguments.
   * @returns What QEMU returns.
   * @throws {Error} What QEMU says is wrong, or that it has ended.
   */
  execute(execute: string, args?: Record<string, unknown>): Promise<unknown> {
    if (this.#end) return Promise.reject(this.#end);
    const answer = Promise.withResolvers<unknown>();
    this.#pending.push(answer);
    this.#controller.enqueue(
      new TextEncoder().encode(
        `${
          JSON.stringify({ execute, ...(args ? { arguments: args } : {}) })
        }\n`,
      ),
    );
    return answer.promise;
  }

  /**
   * Types at the machine's keyboard.
   *
   * @param actions What to type.
   * @param holdMs How long each key is held, in milliseconds.
   * @param signal Stops when aborted.
   */
  async type(
    actions: readonly BootAction[],
    holdMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const qcode = (data: string) => ({ type: "qcode", data });
    for (const action of actions) {
      signal.throwIfAborted();
      if (action.kind === "wait") {
        await delay(action.milliseconds, signal);
      } else if (action.kind === "press") {
        await this.execute("send-key", {
          keys: action.keys.map(qcode),
          "hold-time": holdMs,
        });
        // QEMU holds the key meanwhile, and lets go of it by itself.
        await delay(holdMs * 2, signal);
      } else {
        await this.execute("input-send-event", {
          events: [{
            type: "key",
            data: { down: action.kind === "down", key: qcode(action.key) },
          }],
        });
      }
    }
  }

  /**
   * Fails whatever waits for QEMU.
   *
   * @param reason Why there will be no answer.
   */
  end(reason: Error): void {
    this.#end ??= reason;
    this.#greeted.reject(this.#end);
    for (const { reject } of this.#pending.splice(0)) reject(this.#end);
    try {
      this.#controller.close();
    } catch { /* It is closed. */ }
  }

  #receive(text: string): void {
    const lines = (this.#line + text).split("\n");
    this.#line = lines.pop()!;
    if (this.#line.length > MAX_LINE_CHARS) {
      return this.end(new Error("QEMU wrote a line that is too long"));
    }
    for (const line of lines) if (line.trim() !== "") this.#message(line);
  }

  #message(line: string): void {
    let message: {
      QMP?: unknown;
      return?: unknown;
      error?: { desc?: string };
    };
    try {
      message = JSON.parse(line);
    } catch {
      return this.end(new Error(`QEMU wrote no QMP: ${line.slice(0, 200)}`));
    }
    if (message.QMP !== undefined) return this.#greeted.resolve();
    if ("return" in message) this.#pending.shift()?.resolve(message.return);
    else if (message.error) {
      this.#pending.shift()?.reject(
        new Error(message.error.desc ?? JSON.stringify(message.error)),
      );
    }
  }
}
