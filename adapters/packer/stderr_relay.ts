// Relays what a Go process writes to stderr to this process's own, whose lines the host tags with the plugin's
// path, and keeps the last lines for the error that tells of its death.

const NEWLINE = 10;

/** How many of the last lines are kept, and how much of each. */
const KEPT_LINES = 20;
const KEPT_LINE_BYTES = 2_000;

/** A line without an end is passed on in pieces of this size. */
const MAX_LINE_BYTES = 1024 * 1024;

/** Relays one process's stderr. */
export class StderrRelay {
  /** Resolves when all of it was relayed. */
  readonly ended: Promise<void>;
  readonly #prefix: Uint8Array;
  readonly #write: (bytes: Uint8Array) => void;
  readonly #last: Uint8Array[] = [];
  #begun: Uint8Array = new Uint8Array();

  /**
   * @param stderr What the process writes.
   * @param prefix The prefix of each line; may be empty.
   * @param write Takes whole lines.
   */
  constructor(
    stderr: ReadableStream<Uint8Array>,
    prefix: string,
    write: (bytes: Uint8Array) => void = writeToStderr,
  ) {
    this.#prefix = new TextEncoder().encode(prefix);
    this.#write = write;
    this.ended = this.#relay(stderr);
  }

  /** The last lines, the oldest first. */
  get lastLines(): string[] {
    return this.#last.map((line) => new TextDecoder().decode(line).trimEnd());
  }

  async #relay(stderr: ReadableStream<Uint8Array>): Promise<void> {
    try {
      for await (const chunk of stderr) this.#push(chunk);
    } catch {
      // The process has exited, and its pipe is closed.
    }
    if (this.#begun.length > 0) this.#line(this.#begun);
  }

  #push(chunk: Uint8Array): void {
    let bytes = chunk;
    if (this.#begun.length > 0) {
      bytes = new Uint8Array(this.#begun.length + chunk.length);
      bytes.set(this.#begun);
      bytes.set(chunk, this.#begun.length);
    }
    let start = 0;
    for (let end; (end = bytes.indexOf(NEWLINE, start)) >= 0; start = end + 1) {
      this.#line(bytes.subarray(start, end));
    }
    this.#begun = bytes.slice(start);
    if (this.#begun.length > MAX_LINE_BYTES) {
      this.#line(this.#begun);
      this.#begun = new Uint8Array();
    }
  }

  #line(line: Uint8Array): void {
    const whole = new Uint8Array(this.#prefix.length + line.length + 1);
    whole.set(this.#prefix);
    whole.set(line, this.#prefix.length);
    whole[whole.length - 1] = NEWLINE;
    this.#write(whole);
    this.#last.push(line.slice(0, KEPT_LINE_BYTES));
    if (this.#last.length > KEPT_LINES) this.#last.shift();
  }
}

/** Synchronously, so that a line is with the host before what is sent after it. */
function writeToStderr(bytes: Uint8Array): void {
  try {
    for (let written = 0; written < bytes.length;) {
      written += Deno.stderr.writeSync(bytes.subarray(written));
    }
  } catch {
    // The host has exited: the log has no reader.
  }
}
