// The screen: the host's stdout and stdin as a person, or a program, uses
// them: whole lines out, below them on a terminal how far work has come, and
// questions answered one at a time.

import type { Progress } from "../../plugin/contract/ui.ts";
import { setting } from "../config/environment.ts";
import { escapeControlChars, type LogTarget } from "../log/log.ts";
import { ProgressLine } from "./progress_line.ts";
import { textWidth } from "../text/display_width.ts";

const encoder = new TextEncoder();

/** The host's stdout and stdin. */
export class Screen {
  /**
   * Called once, with the reason, when stdout takes no more: what would be
   * written from then on is lost. Without it, an output that cannot be written
   * is an error where it is written, and one that nobody reads is none.
   */
  onClosed: ((reason: Error) => void) | undefined;
  /** Gives up every question when aborted, also one of a plugin that does not. */
  cancelled: AbortSignal | undefined;
  #closed = false;
  readonly #isTerminal = Deno.stdout.isTerminal();
  /** Whether it is a terminal on which a line can be taken back. */
  readonly #canErase = this.#isTerminal && Deno.env.get("TERM") !== "dumb";
  /** What stands below the last line now, and goes away again; empty when nothing does. */
  #below = "";
  /** Whether that is a question, which no progress may take the place of. */
  #isQuestion = false;
  readonly #progress = new ProgressLine(
    (text) => this.#status(text),
    columnsOfTerminal,
  );
  /** What was read from stdin behind the last line. */
  #read = "";
  /** The line that is being waited for. */
  #line: Promise<string> | undefined;
  #asking: Promise<unknown> = Promise.resolve();

  /** Whether a person looks at it. */
  get isTerminal(): boolean {
    return this.#isTerminal;
  }

  /** Whether colours are wanted: on a terminal that has them, unless NO_COLOR or its like is set. */
  get wantsColor(): boolean {
    return this.#canErase && !Deno.noColor && !setting("NO_COLOR");
  }

  /**
   * Writes a line.
   *
   * @param text The line, without its end; it may have lines in it.
   * @param color A terminal colour for it, as its SGR parameters.
   */
  writeLine(text: string, color?: string): void {
    const harmless = this.#isTerminal ? escapeControlChars(text) : text;
    const line = color === undefined
      ? harmless
      : `\x1b[${color}m${harmless}\x1b[0m`;
    this.#write(`${this.#eraseBelow()}${line}\n${this.#below}`);
  }

  /**
   * Writes a text as it is, for a file or a program.
   *
   * @param text The text, with the end of its last line.
   */
  writeRaw(text: string): void {
    this.#write(text);
  }

  /**
   * Shows how far work has come, in one line below all others that goes away
   * again. Does nothing but on a terminal.
   *
   * @param owner Whose work it is.
   * @param progress How far it has come.
   */
  progress(owner: string, progress: Progress): void {
    if (this.#canErase) this.#progress.report(owner, progress);
  }

  /**
   * Takes away what is shown of work that will not report its end.
   *
   * @param owner Whose work it is; everybody's unless given.
   */
  endProgress(owner?: string): void {
    if (this.#canErase) this.#progress.end(owner);
  }

  /** Shows nothing from now on: what ends now is not to be told as a failure. */
  mute(): void {
    this.endProgress();
    this.#closed = true;
  }

  /**
   * The target of a log that may be on the same terminal: whole lines, which
   * the line below all others makes room for.
   *
   * @param target Where the log goes.
   */
  logTargetAbove(target: LogTarget): LogTarget {
    if (!this.#canErase || !target.isTerminal()) return target;
    return {
      isTerminal: () => true,
      writeSync: (bytes) => {
        this.#write(this.#eraseBelow());
        const count = target.writeSync(bytes);
        if (count === bytes.length) this.#write(this.#below);
        return count;
      },
    };
  }

  #status(text: string): void {
    if (this.#isQuestion || text === this.#below) return;
    const erase = this.#eraseBelow();
    this.#below = text;
    this.#write(erase + text);
  }

  #eraseBelow(): string {
    if (this.#below === "" || !this.#canErase) return "";
    const rows = Math.ceil(textWidth(this.#below) / columnsOfTerminal());
    return rows > 1 ? `\r\x1b[${rows - 1}A\x1b[J` : "\r\x1b[K";
  }

  /**
   * Asks a question and waits for a line on stdin.
   *
   * @param query The question.
   * @param signal Gives up the question when aborted.
   * @param color A terminal colour for it, as its SGR parameters.
   * @returns The answer, without its line end.
   * @throws {Error} When stdin has ended.
   */
  ask(query: string, signal?: AbortSignal, color?: string): Promise<string> {
    const answer = this.#asking.then(() => this.#askNow(query, signal, color));
    this.#asking = answer.catch(() => {});
    return answer;
  }

  async #askNow(
    query: string,
    own?: AbortSignal,
    color?: string,
  ): Promise<string> {
    const signal = AbortSignal.any(
      [own, this.cancelled].filter((one) => one !== undefined),
    );
    signal.throwIfAborted();
    this.#showQuestion(query, color);
    const gone = Promise.withResolvers<never>();
    gone.promise.catch(() => {});
    const abort = () => gone.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await Promise.race([this.#nextLine(), gone.promise]);
    } catch (error) {
      // What comes next begins a line of its own.
      this.#write("\n");
      throw error;
    } finally {
      this.#below = "";
      this.#isQuestion = false;
      signal.removeEventListener("abort", abort);
    }
  }

  // What others show meanwhile goes above the question's last line.
  #showQuestion(query: string, color?: string): void {
    const lines = (this.#isTerminal ? escapeControlChars(query) : query).split(
      "\n",
    );
    const colored = lines.map((line) =>
      color === undefined ? line : `\x1b[${color}m${line}\x1b[0m`
    );
    this.#write(`${this.#eraseBelow()}${colored.join("\n")} `);
    if (!this.#canErase) return;
    this.#below = `${lines.at(-1)} `;
    this.#isQuestion = true;
  }

  /** The next line: one that a question given up was waiting for is the next one's. */
  #nextLine(): Promise<string> {
    if (this.#line === undefined) {
      this.#line = this.#readLine().finally(() => this.#line = undefined);
      this.#line.catch(() => {});
    }
    return this.#line;
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
    while (bytes.length > 0) {
      try {
        bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
      } catch (error) {
        // A pipe that does not wait, and is full.
        if (error instanceof Deno.errors.WouldBlock) pause();
        else return this.#close(error as Error);
      }
    }
  }

  #close(error: Error): void {
    this.#closed = true;
    const isUnread = error instanceof Deno.errors.BrokenPipe;
    const reason = new Error(
      isUnread
        ? "nobody reads the output any more"
        : `the output cannot be written: ${error.message}`,
      { cause: error },
    );
    if (this.onClosed !== undefined) this.onClosed(reason);
    else if (!isUnread) throw reason;
  }
}

/** Waits a moment, and lets nothing else happen meanwhile. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}

function columnsOfTerminal(): number {
  try {
    return Deno.consoleSize().columns || USUAL_COLUMNS;
  } catch {
    return USUAL_COLUMNS;
  }
}

const USUAL_COLUMNS = 80;
