// QMP, QEMU's control protocol.
// Source: https://www.qemu.org/docs/master/interop/qmp-spec.html

/** The longest line that is read, in characters. */
const MAX_LINE_CHARS = 1024 * 1024;

/** An event of QEMU, such as `SHUTDOWN`. */
export interface QmpEvent {
  /** Its name. */
  readonly event: string;
  /** Its data. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** A client of one QEMU. */
export class Qmp {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #onEvent: (event: QmpEvent) => void;
  readonly #pending: PromiseWithResolvers<unknown>[] = [];
  readonly #greeted = Promise.withResolvers<void>();
  #closeReason: Error | undefined;

  /**
   * Reads and writes a connection.
   *
   * @param connection The connection to QEMU.
   * @param onEvent Called with each event.
   */
  constructor(
    connection: {
      readonly readable: ReadableStream<Uint8Array>;
      readonly writable: WritableStream<Uint8Array>;
    },
    onEvent: (event: QmpEvent) => void = () => {},
  ) {
    this.#writer = connection.writable.getWriter();
    this.#writer.closed.catch(() => {});
    this.#onEvent = onEvent;
    this.#greeted.promise.catch(() => {});
    this.#read(connection.readable).then(
      () => this.close(new Error("QEMU has closed its QMP connection")),
      (error) => this.close(error as Error),
    );
  }

  /**
   * Waits for QEMU's greeting, and leaves the negotiation of capabilities.
   *
   * @throws {Error} When the connection ends first.
   */
  async start(): Promise<void> {
    await this.#greeted.promise;
    await this.execute("qmp_capabilities");
  }

  /**
   * Executes a command.
   *
   * @param execute The command.
   * @param args Its arguments.
   * @returns What QEMU returns.
   * @throws {Error} QEMU's description of the error, or that the connection has ended.
   */
  execute(execute: string, args?: Record<string, unknown>): Promise<unknown> {
    if (this.#closeReason) return Promise.reject(this.#closeReason);
    const response = Promise.withResolvers<unknown>();
    this.#pending.push(response);
    const command = args ? { execute, arguments: args } : { execute };
    this.#writer.write(
      new TextEncoder().encode(`${JSON.stringify(command)}\n`),
    ).catch((error) => this.close(error as Error));
    return response.promise;
  }

  /**
   * Rejects all commands in flight, and every later one.
   *
   * @param reason Why there will be no response.
   */
  close(reason: Error): void {
    this.#closeReason ??= reason;
    this.#greeted.reject(this.#closeReason);
    for (const { reject } of this.#pending.splice(0)) reject(this.#closeReason);
  }

  async #read(readable: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of readable) {
      const lines = (rest + decoder.decode(chunk, { stream: true }))
        .split("\n");
      rest = lines.pop()!;
      if (rest.length > MAX_LINE_CHARS) {
        throw new Error("QEMU wrote a QMP message that is too long");
      }
      for (const line of lines) if (line.trim() !== "") this.#receive(line);
    }
  }

  #receive(line: string): void {
    let message: {
      QMP?: unknown;
      return?: unknown;
      error?: { desc?: string };
      event?: string;
      data?: Record<string, unknown>;
    };
    try {
      message = JSON.parse(line);
    } catch {
      throw new Error(`QEMU wrote no QMP: ${line.slice(0, 200)}`);
    }
    if (message.QMP !== undefined) return this.#greeted.resolve();
    if (message.event !== undefined) return this.#onEvent(message as QmpEvent);
    if ("return" in message) this.#pending.shift()?.resolve(message.return);
    else if (message.error) {
      this.#pending.shift()?.reject(
        new Error(message.error.desc ?? JSON.stringify(message.error)),
      );
    }
  }
}
