// A child process with three pipes. It is spawned without a shell, as the leader
// of a process group of its own; when it exits, the rest of the group is killed.

import crossSpawn from "cross-spawn";
import type { Transport } from "../../plugin/rpc/transport.ts";
import { handleChildSignals } from "./child_signals.ts";
import { ChildStdin } from "./child_stdin.ts";
import { readStderr, readStdout, type StdoutSink } from "./child_stdout.ts";
import { addGroup, removeGroup } from "./group_table.ts";
import { childSplice, closePooledPipes } from "./splice_pipe.ts";
import { pluginEnvironment } from "./plugin_environment.ts";
import { inOwnGroup, signalGroup } from "./process_group.ts";
import { Pipe } from "./pipe.ts";
import {
  HOST_ID,
  HOST_ID_VARIABLE,
  hurryReaper,
  resumeReaper,
  track,
  untrack,
} from "./reaper.ts";
import {
  endAdopted,
  killAdopted,
  noteSpawned,
  noteWaited,
  reapAdopted,
} from "./subreaper.ts";

/** How a child process is spawned, and what takes its output. */
export interface ChildOptions {
  /** The command and its arguments. */
  argv: readonly string[];
  /** Its environment; {@linkcode pluginEnvironment} unless given. */
  env?: Record<string, string> | undefined;
  /** Its working directory; the host's own unless given. */
  cwd?: string | undefined;
  /** What takes its stdout. */
  stdout: StdoutSink;
  /**
   * Called with each chunk of its stderr.
   *
   * @returns A promise if nothing more must be read until it resolves.
   */
  onStderr(chunk: Uint8Array): void | Promise<void>;
}

/** How a process exited. */
export interface Exit {
  /** Its exit code; null when a signal killed it. */
  code: number | null;
  /** The signal that killed it; null when it exited by itself. */
  signal: string | null;
}

/** Returns the command to spawn: on Windows, a script or a `.cmd` file is spawned through its interpreter. */
const parse: (command: string, args: readonly string[]) => {
  command: string;
  args: string[];
  options: { windowsVerbatimArguments?: boolean };
} = crossSpawn._parse;

/** How long the pipes of a process that has exited are read, in milliseconds. */
const DRAIN_TIMEOUT_MS = 2_000;

/** The processes that have not exited; none may outlive the host. */
const alive = new Set<Child>();

/** Kills all processes that this host has started, with SIGKILL. */
export function killAll(): void {
  for (const child of alive) child.kill("SIGKILL");
  killAdopted();
  resumeReaper();
}

/**
 * Terminates all processes that this host has started: sends SIGTERM, so that
 * they can delete their temporary files, and SIGKILL at the end of the grace
 * period.
 *
 * @param graceMs The grace period, in milliseconds.
 */
export async function terminateAll(graceMs: number): Promise<void> {
  const all = [...alive];
  // In case this process is killed before the grace period ends.
  if (all.length > 0) hurryReaper();
  for (const child of all) child.kill("SIGTERM");
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([
    Promise.allSettled(all.map((child) => child.exited)),
    new Promise((resolve) => timer = setTimeout(resolve, graceMs)),
  ]);
  clearTimeout(timer);
  killAll();
}

/** A child process. */
export class Child {
  /**
   * Resolves when the process has exited and all that it wrote has been read.
   * Rejects when it could not be spawned.
   */
  readonly exited: Promise<Exit>;
  /** The transport of a connection to the process; it drops writes if that could not be spawned. */
  readonly transport: Transport;
  readonly #process: Deno.ChildProcess | undefined;
  readonly #stdin: ChildStdin | undefined;
  readonly #stdout: Pipe | undefined;

  constructor(options: ChildOptions) {
    try {
      this.#process = spawn(options);
    } catch (error) {
      this.exited = Promise.reject(error);
      this.exited.catch(() => {});
      this.transport = { write() {} };
      return;
    }
    const { pid } = this.#process;
    const stdin = new ChildStdin(this.#process);
    const stdout = new Pipe(pid, 1);
    this.#stdin = stdin;
    this.#stdout = stdout;
    this.transport = {
      write: (bytes) => stdin.write(bytes),
      splice: childSplice(stdin, stdout),
    };
    alive.add(this);
    noteSpawned(pid);
    addGroup(pid);
    track(pid);
    this.exited = this.#exit(this.#process, options);
    this.exited.catch(() => {});
  }

  /** The process id; undefined when it could not be spawned. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Its stdin; undefined when it could not be spawned. */
  get stdin(): ChildStdin | undefined {
    return this.#stdin;
  }

  /** Sends a signal to the process and all that it has started. */
  kill(signal: "SIGTERM" | "SIGKILL"): void {
    if (this.pid === undefined || signalGroup(this.pid, signal)) return;
    if (!alive.has(this)) return;
    try {
      // It has just been spawned and does not lead a group yet.
      this.#process!.kill(signal);
    } catch {
      // It has exited meanwhile.
    }
  }

  async #exit(
    { pid, status, stdout, stderr }: Deno.ChildProcess,
    options: ChildOptions,
  ): Promise<Exit> {
    const out = stdout.getReader({ mode: "byob" });
    const err = stderr.getReader();
    const sink = options.stdout;
    const drained = Promise.all([
      readStdout(out, this.#stdout!, sink, () => this.#stdin!.isIdle)
        .then(() => sink.end()),
      readStderr(err, options.onStderr),
    ]);
    const { code, signal } = await status;
    alive.delete(this);
    noteWaited(pid);
    // Its descendants must not outlive it, nor hold its pipes open.
    this.kill("SIGKILL");
    removeGroup(pid);
    untrack(pid);
    this.#stdin!.processExited();
    const timer = setTimeout(() => {
      out.cancel().catch(() => {});
      err.cancel().catch(() => {});
    }, DRAIN_TIMEOUT_MS);
    await drained;
    clearTimeout(timer);
    this.#stdout!.close();
    if (alive.size === 0) {
      closePooledPipes();
      await endAdopted();
    } else reapAdopted();
    return signal === null ? { code, signal } : { code: null, signal };
  }
}

function spawn({ argv, env, cwd }: ChildOptions): Deno.ChildProcess {
  handleChildSignals();
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

/** Describes how a process exited, as the end of a sentence. */
export function describeExit({ code, signal }: Exit): string {
  return signal === null
    ? `exited with code ${code}`
    : `was killed by ${signal}`;
}
