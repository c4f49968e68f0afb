// A host without the library: writes any lines, valid or not, and reads lines as they arrive.

import { HANG_LIMIT_MS } from "../support/within.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

/** A child process that is tested line by line. */
export class BareHost implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #stderr: Promise<string>;
  #unread = new Uint8Array();
  /** Kills a process that does not answer or exit, so that its test fails. */
  readonly #hangTimer = setTimeout(
    () => this.#child.kill("SIGKILL"),
    HANG_LIMIT_MS,
  );

  constructor([command, ...args]: string[]) {
    this.#child = new Deno.Command(command!, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reader = this.#child.stdout.getReader();
    this.#stderr = new Response(this.#child.stderr).text();
  }

  /** Writes a text as it is. */
  async write(text: string | Uint8Array): Promise<void> {
    await this.#writer.write(
      typeof text === "string" ? new TextEncoder().encode(text) : text,
    );
  }

  /** Writes messages, a line each. */
  async send(...messages: Json[]): Promise<void> {
    await this.write(
      messages.map((message) => JSON.stringify(message) + "\n").join(""),
    );
  }

  /** Reads the next line that is not empty. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#unread.indexOf(10);
      if (end === 0) {
        this.#take(1);
        continue;
      }
      if (end > 0) return new TextDecoder().decode(this.#take(end + 1));
      if (!await this.#more()) {
        throw new Error(`no line came: ${await this.#stderr}`);
      }
    }
  }

  /** Reads the next message. */
  async message(): Promise<Json> {
    return JSON.parse(await this.line());
  }

  /** Reads so many raw bytes. */
  async bytes(length: number): Promise<Uint8Array> {
    while (this.#unread.length < length) {
      if (!await this.#more()) {
        throw new Error(`the bytes did not come: ${await this.#stderr}`);
      }
    }
    return this.#take(length);
  }

  /** Completes the handshake and creates a component; returns its reference. */
  async greet(kind = "conformance", name = "suite"): Promise<number> {
    await this.message();
    await this.send({ json: { welcome: 1, host: "bare 0" } });
    await this.send({
      json: { call: 1, method: "create", args: [kind, name] },
    });
    return (await this.message()).json.value.ref;
  }

  /** Closes stdin and waits for the end. */
  async end(): Promise<{ code: number; unread: string; stderr: string }> {
    // A process that has exited has already closed it.
    await this.#writer.close().catch(() => {});
    return await this.ended();
  }

  /** Waits for the end that the process makes by itself. */
  async ended(): Promise<{ code: number; unread: string; stderr: string }> {
    while (await this.#more());
    const { code, signal } = await this.#child.status;
    clearTimeout(this.#hangTimer);
    if (signal !== null) throw new Error(`it ended by ${signal}`);
    const unread = new TextDecoder().decode(this.#unread);
    return { code, unread, stderr: await this.#stderr };
  }

  /** Kills the process, whatever its state is. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#hangTimer);
    await this.#writer.abort().catch(() => {});
    while (await this.#more());
    await this.#child.status;
    await this.#stderr;
  }

  #take(length: number): Uint8Array {
    const taken = this.#unread.subarray(0, length);
    this.#unread = this.#unread.subarray(length);
    return taken;
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#reader.read();
    if (done) return false;
    const joined = new Uint8Array(this.#unread.length + value.length);
    joined.set(this.#unread);
    joined.set(value, this.#unread.length);
    this.#unread = joined;
    return true;
  }
}
