// Streams of bytes: through a program, and from and to files.

import { LocalProcess } from "./local_process.ts";

/** How much of stderr an error shows, in characters. */
const MAX_STDERR_CHARS = 4096;

/** How {@linkcode filter} runs a program. */
export interface FilterOptions {
  /** Ends it when aborted. */
  signal?: AbortSignal | undefined;
  /** Variables to add to this process's environment. */
  env?: Readonly<Record<string, string>>;
  /** Called with each line of its stderr. */
  onLine?: (line: string) => void | Promise<void>;
}

/**
 * What a program makes of bytes. It ends with its reader, and with all that it
 * has started.
 *
 * @param argv The program and its arguments.
 * @param source What it reads.
 * @param options How it runs.
 * @throws {unknown} What the source throws.
 * @throws {Error} When the program cannot be started, or fails: with what it
 * wrote to stderr.
 */
export async function* filter(
  argv: readonly string[],
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { signal, env, onLine }: FilterOptions = {},
): AsyncGenerator<Uint8Array> {
  let failure: { error: unknown } | undefined;
  let stderr = "";
  let line = "";
  const decoder = new TextDecoder();
  const output = new TransformStream<Uint8Array, Uint8Array>();
  await using process = new LocalProcess({
    argv,
    signal,
    env,
    cwd: "/",
    stdin: ReadableStream.from((async function* () {
      try {
        yield* source;
      } catch (error) {
        failure = { error };
        throw error;
      }
    })()),
    stdout: output.writable,
    stderr: new WritableStream({
      async write(chunk) {
        const text = decoder.decode(chunk, { stream: true });
        stderr = (stderr + text).slice(-MAX_STDERR_CHARS);
        if (onLine === undefined) return;
        const lines = (line + text).split(/\r?\n/);
        line = lines.pop()!.slice(-MAX_STDERR_CHARS);
        for (const one of lines) await onLine(one);
      },
    }),
  });
  yield* output.readable;
  const status = await process.wait();
  if (failure) throw failure.error;
  if (status !== 0) {
    throw new Error(
      `${argv[0]} exited with ${status}: ${
        stderr.trim() || "it wrote nothing to stderr"
      }`,
    );
  }
}

/**
 * Writes a stream to a new file.
 *
 * @param path The file's path.
 * @param content Its bytes.
 * @throws {Error} When it exists, or cannot be written.
 */
export async function writeStream(
  path: string,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length;) {
      at += await file.write(chunk.subarray(at));
    }
  }
}

/**
 * Reads a file as a stream, which closes it.
 *
 * @param path The file's path.
 * @throws {Error} When it cannot be read.
 */
export async function* readStream(
  path: string,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  using file = await Deno.open(path);
  for (;;) {
    const buffer = new Uint8Array(256 * 1024);
    const count = await file.read(buffer);
    if (count === null) return;
    yield buffer.subarray(0, count);
  }
}
