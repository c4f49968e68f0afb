// The screen: the host's stdin, stdout and stderr. Output is written in whole
// lines; on a terminal a line below them shows progress; questions are asked one
// at a time.

import type { Progress } from "../../plugin/contract/ui.ts";
import { setting } from "../config/environment.ts";
import type { LogTarget } from "../log/log.ts";
import { escapeControlChars } from "../text/escape_control_chars.ts";
import { OutputQueue, type OutputSink } from "./output_queue.ts";
import { ProgressLine } from "./progress_line.ts";
import { textWidth } from "../text/display_width.ts";

/** How long the end of a cancelled command waits for its output to be read, in milliseconds. */
const CANCELLED_FLUSH_TIMEOUT_MS = 500;

/** The assumed width of an output whose width is not known. */
const DEFAULT_COLUMNS = 80;

/** The host's stdin, stdout and stderr. */
export class Screen {
  /**
   * Called once, with the reason, when stdout cannot be written any more; later
   * output is discarded. When it is not set, {@linkcode flush} rejects with the
   * reason, unless the reader has closed the pipe.
   */
  onClosed: ((reason: Error) => void) | undefined;
  #cancelled: AbortSignal | undefined;
  #isClosed = false;
  #failure: Error | undefined;
  readonly #isTerminal = Deno.stdout.isTerminal();
  /** Whether it is a terminal on which a line can be erased. */
  readonly #canErase = this.#isTerminal && Deno.env.get("TERM") !== "dumb";
  readonly #stdoutQueue = new OutputQueue();
  /** When stdout and stderr are both terminals, they share a queue: the log is written above the progress line. */
  readonly #stderrQueue = this.#canErase && Deno.stderr.isTerminal()
    ? this.#stdoutQueue
    : new OutputQueue();
  readonly #queues = new Set([this.#stdoutQueue, this.#stderrQueue]);
  readonly #stdout: OutputSink = {
    write: (bytes) => Deno.stdout.write(bytes),
    onError: (error) => this.#close(error),
  };
  readonly #stderr: OutputSink = {
    write: (bytes) => Deno.stderr.write(bytes),
    // stderr has no reader, so the error cannot be reported.
    onError() {},
  };
  /** The erasable text below the last line; empty when there is none. */
  #below = "";
  /** Whether that is a question, which no progress may replace. */
  #isQuestion = false;
  readonly #progress = new ProgressLine(
    (text) => this.#showBelow(text),
    columnsOfTerminal,
  );
  /** The rest of stdin that was read after the last line. */
  #unread = "";
  /** The line that is being read. */
  #line: Promise<string> | undefined;
  #asking: Promise<unknown> = Promise.resolve();

  /**
   * Cancels every question when aborted, also one of a plugin that ignores the
   * cancellation. From then on, unread output is dropped instead of waited for.
   */
  set cancelled(signal: AbortSignal) {
    this.#cancelled = signal;
    const stop = () => {
      for (const queue of this.#queues) queue.stopWaiting();
    };
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
  }

  /** Whether stdout is a terminal. */
  get isTerminal(): boolean {
    return this.#isTerminal;
  }

  /** Whether to use colors: on a terminal that has them, unless NO_COLOR is set. */
  get wantsColor(): boolean {
    return this.#canErase && !Deno.noColor && !setting("NO_COLOR");
  }

  /**
   * Writes a line to stdout.
   *
   * @param text The line, without its end; it may contain line ends.
   * @param color A terminal color for it, as its SGR parameters.
   */
  writeLine(text: string, color?: string): void {
    const escaped = this.#isTerminal ? escapeControlChars(text) : text;
    const line = color === undefined
      ? escaped
      : `\x1b[${color}m${escaped}\x1b[0m`;
    this.#write(`${this.#eraseBelow()}${line}\n${this.#below}`);
  }

  /**
   * Writes a string to stdout as it is, for a file or a program.
   *
   * @param text The string, with its final newline.
   */
  writeRaw(text: string): void {
    this.#write(text);
  }

  /**
   * Writes bytes to stdout.
   *
   * @param bytes The bytes, which must not change afterwards.
   * @throws {Error} When stdout is closed.
   */
  writeBytes(bytes: Uint8Array): void {
    if (this.#isClosed) throw new Error("the reader has closed the output");
    this.#stdoutQueue.add(this.#stdout, bytes);
  }

  /**
   * Writes a line to stderr.
   *
   * @param text The line, without its end.
   */
  writeError(text: string): void {
    this.#writeStderr(`${text}\n`);
  }

  /**
   * Resolves when the outputs have room; undefined where they have. A writer
   * that waits for it cannot fill the memory, however slow the reader is.
   */
  get room(): Promise<void> | undefined {
    for (const queue of this.#queues) {
      const { room } = queue;
      if (room !== undefined) return room;
    }
    return undefined;
  }

  /**
   * Waits until all output has been written; after a cancellation, for at most
   * half a second.
   *
   * @throws {Error} When stdout could not be written, and {@linkcode onClosed}
   * was absent.
   */
  async flush(): Promise<void> {
    const written = Promise.all(
      [...this.#queues].map((queue) => queue.flush()),
    );
    const isCancelled = this.#cancelled?.aborted === true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([
      written,
      ...(isCancelled
        ? [
          new Promise((resolve) => {
            timer = setTimeout(resolve, CANCELLED_FLUSH_TIMEOUT_MS);
          }),
        ]
        : []),
    ]);
    clearTimeout(timer);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * Shows progress in the line below all others. Does nothing unless stdout is a
   * terminal.
   *
   * @param owner The owner of the work, for {@linkcode endProgress}.
   * @param progress The progress.
   */
  progress(owner: string, progress: Progress): void {
    if (this.#canErase) this.#progress.report(owner, progress);
  }

  /**
   * Removes the progress of work that will not report its end.
   *
   * @param owner The owner of the work; all work unless given.
   */
  endProgress(owner?: string): void {
    if (this.#canErase) this.#progress.end(owner);
  }

  /** Erases the line below all others at once, at the exit of the process. */
  eraseAtExit(): void {
    const erase = this.#eraseBelow();
    // A write could block while the queue is not empty.
    if (erase === "" || !this.#stdoutQueue.isIdle) return;
    this.#below = "";
    try {
      Deno.stdout.writeSync(new TextEncoder().encode(erase));
    } catch {
      // The terminal has been closed.
    }
  }

  /** Discards further output to stdout: the failures of a forced exit are not reported. */
  mute(): void {
    this.endProgress();
    this.#isClosed = true;
  }

  /**
   * Returns the target of a log on stderr. On the same terminal its lines are
   * written above the line below all others.
   */
  stderrLogTarget(): LogTarget {
    return {
      isTerminal: () => Deno.stderr.isTerminal(),
      writeSync: (bytes) => {
        this.#writeStderr(bytes.slice());
        return bytes.length;
      },
      room: () => this.#stderrQueue.room,
    };
  }

  /**
   * Returns a log target with a queue of its own, for an output that may block.
   *
   * @param sink The output.
   */
  queuedLogTarget(sink: OutputSink): LogTarget {
    const queue = new OutputQueue();
    this.#queues.add(queue);
    if (this.#cancelled?.aborted) queue.stopWaiting();
    return {
      isTerminal: () => false,
      writeSync: (bytes) => {
        queue.add(sink, bytes.slice());
        return bytes.length;
      },
      room: () => queue.room,
    };
  }

  #writeStderr(content: string | Uint8Array): void {
    const isShared = this.#stderrQueue === this.#stdoutQueue;
    if (isShared) this.#write(this.#eraseBelow());
    this.#stderrQueue.add(this.#stderr, content);
    if (isShared) this.#write(this.#below);
  }

  #showBelow(text: string): void {
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
   * @param signal Cancels the question when aborted.
   * @param color A terminal color for it, as its SGR parameters.
   * @returns The answer, without its line end.
   * @throws {Error} When stdin is closed.
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
      [own, this.#cancelled].filter((one) => one !== undefined),
    );
    signal.throwIfAborted();
    this.#showQuestion(query, color);
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => {});
    const abort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await Promise.race([this.#nextLine(), aborted.promise]);
    } catch (error) {
      // The next output begins on a new line.
      this.#write("\n");
      throw error;
    } finally {
      this.#below = "";
      this.#isQuestion = false;
      signal.removeEventListener("abort", abort);
    }
  }

  // Other lines are written above the last line of the question.
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

  /** Returns the next line. The pending read of a cancelled question is used for the next one. */
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
      const end = this.#unread.indexOf("\n");
      if (end !== -1) {
        const line = this.#unread.slice(0, end).replace(/\r$/, "");
        this.#unread = this.#unread.slice(end + 1);
        return line;
      }
      const count = await Deno.stdin.read(buffer);
      if (count === null) {
        const rest = this.#unread;
        this.#unread = "";
        if (rest !== "") return rest;
        throw new Error("cannot prompt: stdin is closed");
      }
      this.#unread += decoder.decode(buffer.subarray(0, count), {
        stream: true,
      });
    }
  }

  #write(text: string): void {
    if (!this.#isClosed) this.#stdoutQueue.add(this.#stdout, text);
  }

  #close(error: Error): void {
    this.#isClosed = true;
    const isUnread = error instanceof Deno.errors.BrokenPipe;
    const reason = new Error(
      isUnread
        ? "the reader has closed the output"
        : `cannot write the output: ${error.message}`,
      { cause: error },
    );
    if (this.onClosed !== undefined) this.onClosed(reason);
    else if (!isUnread) this.#failure = reason;
  }
}

function columnsOfTerminal(): number {
  try {
    return Deno.consoleSize().columns || DEFAULT_COLUMNS;
  } catch {
    return DEFAULT_COLUMNS;
  }
}
