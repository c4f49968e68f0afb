// A local process is a command that runs on this machine: its output flows to
// whoever wants it, and all it started ends with it.

import type { RunningCommand } from "../../contract/communicator.ts";
import { ProcessGroupGuard } from "./process_group.ts";

/** What a {@linkcode LocalProcess} is started with. */
export interface LocalProcessOptions {
  /** The program and its arguments. */
  argv: readonly string[];
  /** The folder in which it runs; this process's own unless given. */
  cwd?: string | undefined;
  /** Variables that it gets beside this process's environment. */
  env?: Readonly<Record<string, string>> | undefined;
  /** What it reads; nothing unless given. */
  stdin?: ReadableStream<Uint8Array> | undefined;
  /** Where its output goes; dropped unless given. Closed at its end. */
  stdout?: WritableStream<Uint8Array> | undefined;
  /** Where its errors go; dropped unless given. Closed at its end. */
  stderr?: WritableStream<Uint8Array> | undefined;
  /** A file that was made for it, and is deleted with it if this process is killed. */
  temporary?: string | undefined;
  /** Ends it, and all it started, when aborted. */
  signal?: AbortSignal | undefined;
}

// What a command wrote before it ended is in the pipe by then, and no pipe holds
// more than this. Only something that it left running can keep the pipe open:
// that is waited for only so long, and what it says is not the command's.
const PIPE_SIZE = 1024 * 1024;
const PATIENCE_WITH_WHAT_IS_LEFT = 250;
const PATIENCE = 5_000;

/** A command that runs on this machine, in a process group of its own. */
export class LocalProcess implements RunningCommand {
  readonly #child: Deno.ChildProcess;
  readonly #leash: ProcessGroupGuard;
  readonly #done: Promise<number>;
  readonly #outputs: Output[] = [];

  /**
   * Starts the command.
   *
   * @param options What to run, and where its streams go.
   * @throws {Error} When it cannot be started.
   */
  constructor(options: LocalProcessOptions) {
    const { argv, cwd, env, stdin, stdout, stderr, temporary, signal } =
      options;
    signal?.throwIfAborted();
    const [program, ...args] = argv;
    if (program === undefined) throw new Error("there is no command to run");
    try {
      this.#child = new Deno.Command(program, {
        args,
        ...(cwd === undefined ? {} : { cwd }),
        ...(env === undefined ? {} : { env }),
        stdin: stdin ? "piped" : "null",
        stdout: stdout ? "piped" : "null",
        stderr: stderr ? "piped" : "null",
        detached: true,
      }).spawn();
    } catch (cause) {
      throw new Error(
        `cannot start ${program}: ${(cause as Error).message}`,
        { cause },
      );
    }
    try {
      this.#leash = new ProcessGroupGuard(this.#child.pid, temporary);
    } catch (error) {
      this.#child.kill("SIGKILL");
      throw error;
    }
    this.#done = this.#run(stdin, stdout, stderr, signal);
    // Whoever does not wait does not want to know.
    this.#done.catch(() => {});
  }

  /**
   * Waits until the command has ended and all its output was delivered.
   *
   * @returns Its exit status; 128 and the signal's number where a signal ended it.
   * @throws {unknown} The signal's reason, when it was aborted.
   */
  wait(): Promise<number> {
    return this.#done;
  }

  /** Ends what the command may have left running; returns when it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leash.end();
    await this.#done.catch(() => {});
    await Promise.all(this.#outputs.map((output) => output.drained));
  }

  async #run(
    stdin: ReadableStream<Uint8Array> | undefined,
    stdout: WritableStream<Uint8Array> | undefined,
    stderr: WritableStream<Uint8Array> | undefined,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const end = () => void this.#leash.end();
    signal?.addEventListener("abort", end, { once: true });
    const fed = new AbortController();
    const feeding = stdin?.pipeTo(this.#child.stdin, { signal: fed.signal })
      .catch(
        () => {/* It ended, or closed its stdin, before it had read it all. */},
      );
    if (stdout) this.#outputs.push(new Output(this.#child.stdout, stdout));
    if (stderr) this.#outputs.push(new Output(this.#child.stderr, stderr));
    try {
      const { code } = await this.#child.status;
      fed.abort();
      await feeding;
      const left = await this.#leash.settle();
      const patience = left ? PATIENCE_WITH_WHAT_IS_LEFT : PATIENCE;
      await Promise.all(
        this.#outputs.map((output) => output.finish(patience)),
      );
      if (signal?.aborted) {
        await this.#leash.end();
        throw signal.reason;
      }
      return code;
    } finally {
      signal?.removeEventListener("abort", end);
    }
  }
}

/** Passes on what a command writes. */
class Output {
  /** Kept when there is nothing more to read. */
  readonly drained: Promise<void>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #silence = Promise.withResolvers<void>();
  #over = false;
  #patience: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #afterwards = 0;

  constructor(
    from: ReadableStream<Uint8Array>,
    to: WritableStream<Uint8Array>,
  ) {
    this.#reader = from.getReader();
    this.#writer = to.getWriter();
    // The writes tell of a failure; this promise is told of it, too.
    this.#writer.closed.catch(() => {});
    this.drained = this.#pass();
  }

  /** Closes the other end when all is passed on, or nothing more comes for this long. */
  async finish(patience: number): Promise<void> {
    this.#patience = patience;
    this.#wait();
    await Promise.race([this.drained, this.#silence.promise]);
    clearTimeout(this.#timer);
    this.#over = true;
    await this.#writer.close().catch(() => {});
  }

  // Once it is over it reads on for nobody, so that what was left running is
  // not stopped by a full or a closed pipe.
  async #pass(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) return;
      if (this.#over) continue;
      clearTimeout(this.#timer);
      try {
        await this.#writer.write(value);
      } catch (error) {
        // Nobody listens any longer: the command learns it as in any pipe.
        return await this.#reader.cancel(error);
      }
      if (this.#patience === undefined) continue;
      this.#afterwards += value.length;
      this.#wait();
    }
  }

  #wait(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      this.#silence.resolve,
      this.#afterwards > PIPE_SIZE ? 0 : this.#patience,
    );
  }
}
