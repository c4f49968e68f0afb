// A command that runs on this machine, in a process group of its own: its
// output goes to streams, and all its children are killed with it.

import type { RunningCommand } from "../contract/communicator.ts";
import { type GroupMember, ProcessGroup } from "./process_group.ts";

/** What a {@linkcode LocalProcess} is started with. */
export interface LocalProcessOptions {
  /** The program and its arguments. */
  argv: readonly string[];
  /** The directory in which it runs; this process's own by default. */
  cwd?: string | undefined;
  /** Variables to add to this process's own environment. */
  env?: Readonly<Record<string, string>> | undefined;
  /** True for an environment of `env` alone. */
  clearEnv?: boolean | undefined;
  /** The command's input; empty by default. */
  stdin?: ReadableStream<Uint8Array> | undefined;
  /** Receives its output; discarded by default. Closed when the command has exited. */
  stdout?: WritableStream<Uint8Array> | undefined;
  /** Receives its errors; discarded by default. Closed when the command has exited. */
  stderr?: WritableStream<Uint8Array> | undefined;
  /** Ends the command, and all that it started, when aborted. */
  signal?: AbortSignal | undefined;
  /** Called when the command has exited and left processes running in the background. */
  onBackground?: ((members: GroupMember[]) => void | Promise<void>) | undefined;
}

// When a command has exited, the rest of its output is in the pipe, and no pipe
// holds more than this. Only a background process can keep the pipe open, whose
// output is not the command's.
const PIPE_BYTES = 1024 * 1024;
const DRAIN_TIMEOUT_MS = 5_000;
const DRAIN_TIMEOUT_WITH_BACKGROUND_MS = 250;

/** A command that runs on this machine. */
export class LocalProcess implements RunningCommand {
  readonly #child: Deno.ChildProcess;
  readonly #group: ProcessGroup;
  readonly #done: Promise<number>;
  readonly #outputs: Output[] = [];

  /**
   * Starts the command.
   *
   * @param options The command and its streams.
   * @throws {Error} When it cannot be started.
   */
  constructor(options: LocalProcessOptions) {
    const { argv, cwd, env, clearEnv, stdin, stdout, stderr, signal } = options;
    signal?.throwIfAborted();
    const [program, ...args] = argv;
    if (program === undefined) throw new Error("there is no command to run");
    try {
      this.#child = new Deno.Command(program, {
        args,
        ...(cwd === undefined ? {} : { cwd }),
        ...(env === undefined ? {} : { env }),
        ...(clearEnv ? { clearEnv } : {}),
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
      this.#group = new ProcessGroup(this.#child.pid);
    } catch (error) {
      this.#child.kill("SIGKILL");
      throw error;
    }
    this.#done = this.#run(options);
    // A caller that never calls wait() is not an unhandled rejection.
    this.#done.catch(() => {});
  }

  /**
   * Waits until the command has exited and all its output has been delivered.
   *
   * @returns Its exit status; 128 plus the signal's number if a signal killed it.
   * @throws {unknown} The signal's reason, when it is aborted.
   */
  wait(): Promise<number> {
    return this.#done;
  }

  /** Kills the background processes of the command; resolves when they have exited. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#group.end();
    await this.#done.catch(() => {});
    await Promise.all(this.#outputs.map((output) => output.stop()));
  }

  async #run(
    { stdin, stdout, stderr, signal, onBackground }: LocalProcessOptions,
  ): Promise<number> {
    const end = () => void this.#group.end();
    signal?.addEventListener("abort", end, { once: true });
    const fed = new AbortController();
    const feeding = stdin?.pipeTo(this.#child.stdin, { signal: fed.signal })
      .catch(() => {
        // The command exited, or closed its stdin, before it had read everything.
      });
    if (stdout) this.#outputs.push(new Output(this.#child.stdout, stdout));
    if (stderr) this.#outputs.push(new Output(this.#child.stderr, stderr));
    try {
      const { code } = await this.#child.status;
      fed.abort();
      await feeding;
      const timeoutMs = this.#group.exists()
        ? DRAIN_TIMEOUT_WITH_BACKGROUND_MS
        : DRAIN_TIMEOUT_MS;
      await Promise.all(
        this.#outputs.map((output) => output.finish(timeoutMs)),
      );
      if (signal?.aborted) {
        await this.#group.end();
        throw signal.reason;
      }
      const members = await this.#group.members();
      if (members.length > 0) await onBackground?.(members);
      return code;
    } finally {
      signal?.removeEventListener("abort", end);
    }
  }
}

/** Copies one output of a command to a stream. */
class Output {
  /** Resolved when there is nothing more to read. */
  readonly drained: Promise<void>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #silence = Promise.withResolvers<void>();
  #isFinished = false;
  #timeoutMs: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #bytesAfterEnd = 0;

  constructor(
    from: ReadableStream<Uint8Array>,
    to: WritableStream<Uint8Array>,
  ) {
    this.#reader = from.getReader();
    this.#writer = to.getWriter();
    // The writes report a failure; this promise rejects with the same one.
    this.#writer.closed.catch(() => {});
    this.drained = this.#copy();
  }

  /** Closes the stream when all is copied, or when nothing comes for so long. */
  async finish(timeoutMs: number): Promise<void> {
    this.#timeoutMs = timeoutMs;
    this.#restartTimer();
    await Promise.race([this.drained, this.#silence.promise]);
    clearTimeout(this.#timer);
    this.#isFinished = true;
    await this.#writer.close().catch(() => {});
  }

  /**
   * Reads no more. A process outside the group may hold the pipe for as long as
   * it likes: an ssh client's master does.
   */
  async stop(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
    await this.drained;
  }

  // After finish() it keeps reading and discards the bytes, so that a full or a
  // closed pipe does not stop a background process.
  async #copy(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) return;
      if (this.#isFinished) continue;
      clearTimeout(this.#timer);
      try {
        await this.#writer.write(value);
      } catch (error) {
        // The stream was closed: the command gets EPIPE, as from any pipe.
        return await this.#reader.cancel(error);
      }
      if (this.#timeoutMs === undefined) continue;
      this.#bytesAfterEnd += value.length;
      this.#restartTimer();
    }
  }

  #restartTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      this.#silence.resolve,
      this.#bytesAfterEnd > PIPE_BYTES ? 0 : this.#timeoutMs,
    );
  }
}
