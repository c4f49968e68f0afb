// The mark that a machine writes before a command starts: the id of its process.
// It tells a command that has started, and must not be sent again, from one
// whose connection broke before.

/** What a machine may write before the mark, in bytes; after that there is none. */
const MAX_BYTES_BEFORE_MARK = 64 * 1024;

/** The mark of one command, and the streams around it. */
export class StartMark {
  /** The id of the command's process on the machine, once it has started. */
  pid: number | undefined;
  /** Whether the mark has come. */
  isStarted = false;
  /** Resolved when the command has started. */
  readonly started: Promise<void>;
  readonly #resolveStarted: () => void;
  readonly #outputs: Output[] = [];

  /** A command that has not started. */
  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.started = promise;
    this.#resolveStarted = resolve;
  }

  /**
   * A script that writes the mark.
   *
   * @param output Where to: `"stdout"` or `"stderr"`.
   */
  static script(output: "stdout" | "stderr"): string {
    return `echo "baler-pid:$$"${output === "stderr" ? " >&2" : ""}`;
  }

  /**
   * A stream that reads nothing of a source before the command has started, so
   * that the source is whole for a command that is sent again.
   *
   * @param source The command's input.
   */
  after(source: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
    return new ReadableStream({
      pull: async (controller) => {
        await this.started;
        reader ??= source.getReader();
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async (reason) => {
        if (this.isStarted) await (reader ?? source).cancel(reason);
      },
    }, { highWaterMark: 0 });
  }

  /**
   * A stream into an output that holds everything back until the command has
   * started.
   *
   * @param to Where the output goes; discarded unless given.
   * @param isMarked Whether the mark is in this output. It is removed.
   */
  output(
    to: WritableStream<Uint8Array> | undefined,
    isMarked: boolean,
  ): WritableStream<Uint8Array> {
    const output = new Output(to);
    this.#outputs.push(output);
    return new WritableStream({
      write: async (chunk) => {
        if (this.isStarted) return await output.write(chunk);
        output.hold(chunk);
        if (!isMarked) return;
        const mark = markIn(output.held);
        if (mark !== undefined) {
          this.pid = mark.pid;
          output.held = joined(mark.before, mark.after);
        } else if (output.held.length < MAX_BYTES_BEFORE_MARK) return;
        await this.release();
      },
      close: async () => {
        output.isEnded = true;
        if (this.isStarted) await output.close();
      },
    });
  }

  /** Delivers what was held back, of a command that is not sent again. */
  async release(): Promise<void> {
    this.isStarted = true;
    this.#resolveStarted();
    await Promise.all(this.#outputs.map((output) => output.release()));
  }
}

/** One output of a command. */
class Output {
  held: Uint8Array = new Uint8Array();
  isEnded = false;
  readonly #to: WritableStream<Uint8Array> | undefined;
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #isClosed = false;

  constructor(to: WritableStream<Uint8Array> | undefined) {
    this.#to = to;
  }

  hold(chunk: Uint8Array): void {
    this.held = joined(this.held, chunk);
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#open()?.write(chunk);
  }

  async release(): Promise<void> {
    const { held } = this;
    this.held = new Uint8Array();
    if (held.length > 0) await this.write(held);
    if (this.isEnded) await this.close();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#open()?.close();
  }

  #open(): WritableStreamDefaultWriter<Uint8Array> | undefined {
    if (this.#writer === undefined && this.#to !== undefined) {
      this.#writer = this.#to.getWriter();
      this.#writer.closed.catch(() => {});
    }
    return this.#writer;
  }
}

/** The mark, and what is around it: a shell may print something at its start. */
function markIn(
  bytes: Uint8Array,
): { pid: number; before: Uint8Array; after: Uint8Array } | undefined {
  const text = new TextDecoder("latin1").decode(bytes);
  const match = /(?<=^|\n)baler-pid:(\d+)\r?\n/.exec(text);
  if (match === null) return undefined;
  return {
    pid: Number(match[1]),
    before: bytes.subarray(0, match.index),
    after: bytes.subarray(match.index + match[0].length),
  };
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
