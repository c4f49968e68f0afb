// A driver: a program that waits for a task, runs it, and reports how
// long that took. Several drivers are started at a time, so that what is
// compared can be measured in turns.

/** A program that does timed work on request. */
export class Driver implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #begun = "";

  /**
   * @param argv The program and its arguments.
   */
  constructor(argv: readonly string[]) {
    const [command, ...args] = argv;
    this.#child = new Deno.Command(command!, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
  }

  /** Its process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /**
   * Lets it work.
   *
   * @param work What it is to do, one of the words that it knows.
   * @param count How often, or how much.
   * @returns How long that took, in milliseconds.
   * @throws {Error} When it cannot, with its reason.
   */
  async time(work: string, count: number): Promise<number> {
    await this.#writer.write(new TextEncoder().encode(`${work} ${count}\n`));
    for (;;) {
      const end = this.#begun.indexOf("\n");
      if (end >= 0) {
        const answer = this.#begun.slice(0, end);
        this.#begun = this.#begun.slice(end + 1);
        const milliseconds = Number(answer);
        if (Number.isNaN(milliseconds)) throw new Error(`${work}: ${answer}`);
        return milliseconds;
      }
      const { done, value } = await this.#lines.read();
      if (done) throw new Error(`the driver ended in "${work} ${count}"`);
      this.#begun += value;
    }
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#child.status;
    await this.#lines.cancel();
  }
}
