// A child: one process with three pipes, started without a shell in a group
// of its own, and ended together with all that it started.

import crossSpawn from "cross-spawn";
import type { SpliceBuffer } from "../../plugin/rpc/splice.ts";
import { ChildStdin } from "./child_stdin.ts";
import { readStderr, readStdout, type StdoutSink } from "./child_stdout.ts";
import { closePooledPipes, SplicePipe } from "./splice_pipe.ts";
import { pluginEnvironment } from "./plugin_environment.ts";
import { inOwnGroup, signalGroup } from "./process_group.ts";
import { DEFAULT_PIPE_BYTES, Pipe } from "./pipe.ts";
import { HOST_ID, HOST_ID_VARIABLE, track, untrack } from "./reaper.ts";

/** What is started, and who takes what it writes. */
export interface ChildOptions extends StdoutSink {
  /** The command and its arguments. */
  argv: readonly string[];
  /** Its environment; {@linkcode pluginEnvironment} unless given. */
  env?: Record<string, string>;
  /** The folder it starts in; the host's own unless given. */
  cwd?: string;
  /** Called at the end of its stdout. */
  onStdoutEnd(): void;
  /** Called with each piece of its stderr. */
  onStderr(chunk: Uint8Array): void;
}

/** How a process ended. */
export interface Exit {
  /** Its exit code; null when a signal ended it. */
  code: number | null;
  /** The signal that ended it; null when it exited by itself. */
  signal: string | null;
}

/** What is spawned for a command: another one on Windows, for a script or a `.cmd`. */
const parse: (command: string, args: readonly string[]) => {
  command: string;
  args: string[];
  options: { windowsVerbatimArguments?: boolean };
} = crossSpawn._parse;

/** From how many bytes what it writes goes past this process, if it only passes through. */
const MIN_SPLICE_BYTES = DEFAULT_PIPE_BYTES;

/** How long what a dead process left in its pipes may take to be read, in milliseconds. */
const DRAIN_TIMEOUT_MS = 2_000;

/** The processes that are alive; whatever happens, none may outlive the host. */
const alive = new Set<Child>();

/** Ends all processes that this host started, at once. */
export function killAll(): void {
  for (const child of alive) child.kill("SIGKILL");
}

/**
 * Ends all processes that this host started: those that hurry can still take
 * away what lies about.
 *
 * @param moment How long they have for that, in milliseconds.
 */
export async function terminateAll(moment: number): Promise<void> {
  const all = [...alive];
  for (const child of all) child.kill("SIGTERM");
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([
    Promise.allSettled(all.map((child) => child.exited)),
    new Promise((resolve) => timer = setTimeout(resolve, moment)),
  ]);
  clearTimeout(timer);
  killAll();
}

/** One process. */
export class Child {
  /**
   * Resolves when the process is gone and all that it wrote has been taken.
   * Rejects when it could not be started.
   */
  readonly exited: Promise<Exit>;
  readonly #process: Deno.ChildProcess | undefined;
  readonly #stdin: ChildStdin | undefined;
  readonly #stdout: Pipe | undefined;

  constructor(options: ChildOptions) {
    try {
      this.#process = spawn(options);
    } catch (error) {
      this.exited = Promise.reject(error);
      this.exited.catch(() => {});
      return;
    }
    this.#stdin = new ChildStdin(this.#process);
    this.#stdout = new Pipe(this.#process.pid, 1);
    alive.add(this);
    track(this.#process.pid);
    this.exited = this.#exit(this.#process, options);
    this.exited.catch(() => {});
  }

  /** Its process id; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Its stdin; undefined when it could not be started. */
  get stdin(): ChildStdin | undefined {
    return this.#stdin;
  }

  /**
   * A way past this process's memory for what it writes.
   *
   * @param length How many bytes it is for.
   * @returns It; undefined where they are few, or none is to be had.
   */
  bypass(length: number): SpliceBuffer | undefined {
    return length >= MIN_SPLICE_BYTES && this.#stdout?.isEnlarged
      ? SplicePipe.acquire(length)
      : undefined;
  }

  /** Signals the process and all that it started. */
  kill(signal: "SIGTERM" | "SIGKILL"): void {
    if (this.pid === undefined || signalGroup(this.pid, signal)) return;
    if (!alive.has(this)) return;
    try {
      // It has been started so lately that it leads no group yet.
      this.#process!.kill(signal);
    } catch {
      // It has ended in this very moment.
    }
  }

  async #exit(
    { pid, status, stdout, stderr }: Deno.ChildProcess,
    options: ChildOptions,
  ): Promise<Exit> {
    const out = stdout.getReader({ mode: "byob" });
    const err = stderr.getReader();
    const isAnswerNear = () =>
      this.#stdin!.isIdle && options.isAnswerNear?.() === true;
    const taken = Promise.all([
      readStdout(out, this.#stdout!, { ...options, isAnswerNear })
        .then(options.onStdoutEnd),
      readStderr(err, options.onStderr),
    ]);
    const { code, signal } = await status;
    // What it started must not outlive it, nor hold its pipes open.
    alive.delete(this);
    this.kill("SIGKILL");
    untrack(pid);
    this.#stdin!.processExited();
    const patience = setTimeout(() => {
      out.cancel().catch(() => {});
      err.cancel().catch(() => {});
    }, DRAIN_TIMEOUT_MS);
    await taken;
    clearTimeout(patience);
    this.#stdout!.close();
    if (alive.size === 0) closePooledPipes();
    return signal === null ? { code, signal } : { code: null, signal };
  }
}

function spawn({ argv, env, cwd }: ChildOptions): Deno.ChildProcess {
  const own = inOwnGroup(argv);
  const { command, args, options } = parse(own.argv[0]!, own.argv.slice(1));
  return new Deno.Command(command, {
    args,
    windowsRawArguments: options.windowsVerbatimArguments ?? false,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    detached: own.detached,
    clearEnv: true,
    env: { ...(env ?? pluginEnvironment()), [HOST_ID_VARIABLE]: HOST_ID },
    ...(cwd === undefined ? {} : { cwd }),
  }).spawn();
}

/** How a process ended, as the end of a sentence. */
export function describeExit({ code, signal }: Exit): string {
  return signal === null
    ? `exited with code ${code}`
    : `was ended by ${signal}`;
}
