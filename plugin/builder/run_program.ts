// A program of this machine that does one thing and ends: its output, or an
// error with what it wrote.

/** The most that is kept of each output, in bytes. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** How a program runs. */
export interface RunProgramOptions {
  /** Ends it when aborted. */
  signal?: AbortSignal;
  /** The directory it runs in; this process's unless given. */
  cwd?: string;
  /** Variables to add to this process's own environment. */
  env?: Readonly<Record<string, string>>;
  /** What it reads; nothing unless given. */
  stdin?: string | ReadableStream<Uint8Array>;
  /** Receives its stdout, which is not returned then. */
  stdout?: WritableStream<Uint8Array>;
  /** Receives its stderr, of which an error then shows nothing. */
  stderr?: WritableStream<Uint8Array>;
}

/**
 * Runs a program, with all it starts in a process group of its own that ends
 * with it.
 *
 * @param argv The program and its arguments.
 * @param options Where, and what it reads.
 * @returns What it wrote to stdout.
 * @throws {Error} When it cannot be started, or ends with another status than 0:
 * with what it wrote to stderr. The signal's reason when it is aborted.
 */
export async function runProgram(
  argv: readonly string[],
  { signal, cwd, env, stdin, ...outputs }: RunProgramOptions = {},
): Promise<string> {
  const { LocalProcess } = await import(
    "../process/local_process.ts"
  );
  const [stdout, stderr] = [new Collector(), new Collector()];
  await using process = new LocalProcess({
    argv,
    cwd,
    env,
    signal,
    stdin: typeof stdin === "string"
      ? ReadableStream.from([new TextEncoder().encode(stdin)])
      : stdin,
    stdout: outputs.stdout ?? stdout.writable,
    stderr: outputs.stderr ?? stderr.writable,
  });
  const status = await process.wait();
  if (status !== 0) {
    throw new Error(
      `${argv[0]} exited with ${status}: ${
        stderr.text().trim() || stdout.text().trim() || "it wrote nothing"
      }`,
    );
  }
  return stdout.text();
}

class Collector {
  readonly #chunks: Uint8Array<ArrayBuffer>[] = [];
  #length = 0;
  readonly writable: WritableStream<Uint8Array> = new WritableStream({
    write: (chunk) => {
      this.#length += chunk.length;
      if (this.#length <= MAX_OUTPUT_BYTES) this.#chunks.push(chunk.slice());
    },
  });

  text(): string {
    const decoder = new TextDecoder();
    return this.#chunks.map((chunk) => decoder.decode(chunk, { stream: true }))
      .join("") + decoder.decode();
  }
}
