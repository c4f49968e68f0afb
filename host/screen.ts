// The screen: the host's stdout and stdin as a person, or a program, uses
// them: whole lines out, questions answered one at a time.

import { harmlessText } from "./log.ts";

const encoder = new TextEncoder();

/** The host's stdout and stdin. */
export class Screen {
  /** Called once when nobody reads stdout any more. */
  onClosed: () => void = () => {};
  #closed = false;
  #isTerminal = Deno.stdout.isTerminal();
  /** The progress line that is on the terminal now; empty when there is none. */
  #status = "";
  /** What was read from stdin behind the last line. */
  #read = "";
  #asking: Promise<unknown> = Promise.resolve();

  /** Whether a person looks at it. */
  get isTerminal(): boolean {
    return this.#isTerminal;
  }

  /** Whether colours are wanted: on a terminal, unless NO_COLOR is set. */
  get wantsColor(): boolean {
    return this.#isTerminal && !Deno.noColor;
  }

  /**
   * Writes a line.
   *
   * @param text The line, without its end; it may have lines in it.
   * @param color A terminal colour for it, as its SGR parameters.
   */
  line(text: string, color?: string): void {
    const harmless = this.#isTerminal ? harmlessText(text) : text;
    const line = color === undefined
      ? harmless
      : `\x1b[${color}m${harmless}\x1b[0m`;
    this.#write(`${this.#clearStatus()}${line}\n${this.#status}`);
  }

  /**
   * Writes a text as it is, for a file or a program.
   *
   * @param text The text, with the end of its last line.
   */
  text(text: string): void {
    this.#write(text);
  }

  /**
   * Shows how far something has come, in a line below all others that goes
   * away again. Does nothing but on a terminal.
   *
   * @param text The line; empty to take it away.
   */
  status(text: string): void {
    if (!this.#isTerminal || text === this.#status) return;
    const clear = this.#clearStatus();
    this.#status = text;
    this.#write(clear + text);
  }

  #clearStatus(): string {
    return this.#status === "" ? "" : "\r\x1b[K";
  }

  /**
   * Asks a question and waits for a line on stdin.
   *
   * @param query The question.
   * @param signal Gives up the question when aborted.
   * @returns The answer, without its line end.
   * @throws {Error} When stdin has ended.
   */
  ask(query: string, signal?: AbortSignal): Promise<string> {
    const answer = this.#asking.then(() => this.#askNow(query, signal));
    this.#asking = answer.catch(() => {});
    return answer;
  }

  async #askNow(query: string, signal?: AbortSignal): Promise<string> {
    signal?.throwIfAborted();
    this.#write(`${this.#clearStatus()}${query} `);
    const gone = Promise.withResolvers<never>();
    gone.promise.catch(() => {});
    const abort = () => gone.reject(signal!.reason);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await Promise.race([this.#readLine(), gone.promise]);
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  async #readLine(): Promise<string> {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(4096);
    for (;;) {
      const end = this.#read.indexOf("\n");
      if (end !== -1) {
        const line = this.#read.slice(0, end).replace(/\r$/, "");
        this.#read = this.#read.slice(end + 1);
        return line;
      }
      const count = await Deno.stdin.read(buffer);
      if (count === null) {
        const rest = this.#read;
        this.#read = "";
        if (rest !== "") return rest;
        throw new Error("nobody answers: stdin has ended");
      }
      this.#read += decoder.decode(buffer.subarray(0, count), { stream: true });
    }
  }

  #write(text: string): void {
    if (this.#closed) return;
    let bytes = encoder.encode(text);
    try {
      while (bytes.length > 0) {
        bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      this.#closed = true;
      this.onClosed();
    }
  }
}
