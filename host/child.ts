// A child: one process with three pipes, started without a shell in a group
// of its own, and ended together with all that it started.

import crossSpawn from "cross-spawn";
import type { Bypass } from "../plugin/rpc/bypass.ts";
import { closeConduits, Conduit } from "./conduit.ts";
import { pluginEnvironment } from "./plugin_environment.ts";
import { inOwnGroup, signalGroup } from "./process_group.ts";
import { NARROW, Pipe, WIDE } from "./pipe.ts";
import { PromptReader } from "./prompt_reader.ts";
import { forget, HOST_ID, HOST_ID_VARIABLE, watch } from "./reaper.ts";

/** What is started, and who takes what it writes. */
export interface ChildOptions {
  /** The command and its arguments. */
  argv: readonly string[];
  /** Its environment; {@linkcode pluginEnvironment} unless given. */
  env?: Record<string, string>;
  /** The folder it starts in; the host's own unless given. */
  cwd?: string;
  /** Called with each piece of its stdout, which is used again afterwards. */
  onStdout(chunk: Uint8Array): void;
  /** Called at the end of its stdout. */
  onStdoutEnd(): void;
  /** Called with each piece of its stderr. */
  onStderr(chunk: Uint8Array): void;
  /** Where what it writes next goes, if past this process's memory. */
  bypass?(): Bypass | undefined;
  /** Called when something of it has been moved there. */
  onMoved?(): void;
  /** Whether it is to write to its stdout at once, and all waits for that. */
  isAnswerNear?(): boolean;
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

/** How much is read at a time from a wide pipe, in bytes: half of it, while the rest fills up. */
const HALF = WIDE / 2;

/** How much is read, in bytes, where the next may go past this process: a line, and little of what is behind it. */
const LINE = 4 * 1024;

/** From how many bytes they go past this process. */
const MUCH = NARROW;

/** In how many steps of its promises a host makes the next call and writes it, if it does at once. */
const STEPS = 16;

/** With one processor alone, nobody answers while somebody looks. */
const HAS_ANOTHER = navigator.hardwareConcurrency > 1;

/** How long what a dead process left in its pipes may take to be read, in milliseconds. */
const DRAIN = 2_000;

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
export async function endAll(moment: number): Promise<void> {
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
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array> | undefined;
  readonly #stdinPipe: Pipe | undefined;
  readonly #stdoutPipe: Pipe | undefined;
  /** How many writes to its stdin are under way. */
  #writing = 0;
  /** The last of them that Deno does by itself, in their order. */
  #written: Promise<void> = Promise.resolve();
  /** The last of those that wait for their turn; absent where none does. */
  #queue: Promise<void> | undefined;

  constructor(options: ChildOptions) {
    try {
      this.#process = spawn(options);
    } catch (error) {
      this.exited = Promise.reject(error);
      this.exited.catch(() => {});
      return;
    }
    this.#stdin = this.#process.stdin.getWriter();
    this.#stdinPipe = new Pipe(this.#process.pid, 0);
    this.#stdoutPipe = new Pipe(this.#process.pid, 1);
    // What it does not read it will not read: its exit tells the reason.
    this.#stdin.closed.catch(() => {});
    alive.add(this);
    watch(this.#process.pid);
    this.exited = this.#exit(this.#process, options);
    this.exited.catch(() => {});
  }

  /** Its process id; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /**
   * Writes to its stdin.
   *
   * @param bytes What to write; not to be changed until it is written.
   * @returns When that is; rejects where the process is gone.
   */
  async write(bytes: Uint8Array): Promise<void> {
    this.#stdinPipe?.passed(bytes.length);
    this.#writing++;
    try {
      if (this.#queue === undefined) await this.#writeNow(bytes);
      else await this.#inTurn(() => this.#writeNow(bytes));
    } finally {
      this.#writing--;
    }
  }

  /**
   * A way past this process's memory for what it writes.
   *
   * @param length How many bytes it is for.
   * @returns It; undefined where they are few, or none is to be had.
   */
  bypass(length: number): Bypass | undefined {
    return length >= MUCH && this.#stdoutPipe?.isWide
      ? Conduit.take(length)
      : undefined;
  }

  /**
   * Writes what has come past this process's memory to its stdin.
   *
   * @param bypass What to write.
   * @param length How many bytes that is.
   * @returns When it is written; rejects where the process is gone.
   */
  async pour(bypass: Bypass, length: number): Promise<void> {
    const pipe = this.#stdinPipe!;
    pipe.passed(length);
    this.#writing++;
    try {
      await this.#inTurn(async () => {
        await this.#written;
        await bypass.moveTo(pipe, (bytes) => this.#writeNow(bytes));
      });
    } finally {
      this.#writing--;
    }
  }

  /** Ends its stdin, once all that was written has been taken. */
  closeStdin(): void {
    const close = async () => {
      await this.#written;
      this.#stdinPipe?.close();
      await this.#stdin?.close();
    };
    this.#inTurn(close).catch(() => {});
  }

  #writeNow(bytes: Uint8Array): Promise<void> {
    const writing = this.#stdin!.write(bytes);
    this.#written = writing.catch(() => {});
    return writing;
  }

  /** Does something with its stdin when all before it is done. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#queue === undefined ? work() : this.#queue.then(work);
    const queue = turn.catch(() => {}).then(() => {
      if (this.#queue === queue) this.#queue = undefined;
    });
    this.#queue = queue;
    return turn;
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
    const { onStdoutEnd, onStderr } = options;
    const out = stdout.getReader({ mode: "byob" });
    const err = stderr.getReader();
    const pipe = this.#stdoutPipe!;
    const isAnswerNear = () =>
      HAS_ANOTHER && this.#writing === 0 && options.isAnswerNear?.() === true;
    const taken = Promise.all([
      takeStdout(out, pipe, { ...options, isAnswerNear }).then(onStdoutEnd),
      takeStderr(err, onStderr),
    ]);
    const { code, signal } = await status;
    // What it started must not outlive it, nor hold its pipes open.
    alive.delete(this);
    this.kill("SIGKILL");
    forget(pid);
    this.#stdinPipe!.close();
    const patience = setTimeout(() => {
      out.cancel().catch(() => {});
      err.cancel().catch(() => {});
    }, DRAIN);
    await taken;
    clearTimeout(patience);
    pipe.close();
    if (alive.size === 0) closeConduits();
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

// A pipe that cannot be read is at its end.

/** Takes all that comes on stdout, in the same memory time and again. */
async function takeStdout(
  reader: ReadableStreamBYOBReader,
  pipe: Pipe,
  { onStdout, bypass, onMoved, isAnswerNear }:
    & ChildOptions
    & Required<Pick<ChildOptions, "isAnswerNear">>,
): Promise<void> {
  const prompt = new PromptReader(pipe);
  let buffer = new ArrayBuffer(NARROW);
  /** Whether the last that came went past this process's memory. */
  let isPassing = false;
  const move = () => {
    const way = bypass?.();
    if (way === undefined) return false;
    isPassing = true;
    if (way.moveFrom(pipe) === 0) return false;
    onMoved!();
    return true;
  };
  const taken = async (chunk: Uint8Array) => {
    isPassing = bypass?.() !== undefined;
    busily(() => onStdout(chunk));
    while (busily(move)) {
      if (busyInTurn >= BUSY_WITH_CALLS) await nextTurn();
    }
    if (busyInTurn >= BUSY_WITH_CALLS) await nextTurn();
    // What is called now that an answer has come is to be on its way before
    // this begins to wait for the next.
    for (let step = 0; step < STEPS && !isAnswerNear(); step++) await null;
  };
  for (;;) {
    while (isAnswerNear()) {
      const chunk = new Uint8Array(buffer);
      const count = prompt.read(chunk);
      if (count === 0) break;
      await taken(chunk.subarray(0, count));
    }
    let value: Uint8Array<ArrayBuffer> | undefined;
    try {
      const most = isPassing ? LINE : buffer.byteLength;
      ({ value } = await reader.read(new Uint8Array(buffer, 0, most)));
    } catch {
      return;
    }
    // Absent where the reading was given up, empty at the end.
    if (value === undefined || value.length === 0) return;
    await taken(value);
    if (value.length === NARROW) pipe.passed(NARROW);
    buffer = value.buffer;
    if (pipe.isWide && buffer.byteLength < HALF) buffer = new ArrayBuffer(HALF);
  }
}

async function takeStderr(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  take: (chunk: Uint8Array) => void,
): Promise<void> {
  for (;;) {
    let value: Uint8Array | undefined;
    try {
      ({ value } = await reader.read());
    } catch {
      return;
    }
    if (value === undefined) return;
    busily(() => take(value));
    if (busyInTurn >= BUSY_WITH_LOG) await nextTurn();
  }
}

/**
 * How long a flood may keep a turn of the event loop busy, in milliseconds:
 * where more is there at once, it is read without a turn, and all else waits.
 * Calls do not wait for what is logged.
 */
const BUSY_WITH_LOG = 5;
const BUSY_WITH_CALLS = 25;

let busyInTurn = 0;

function busily<T>(work: () => T): T {
  const begin = performance.now();
  const result = work();
  busyInTurn += performance.now() - begin;
  return result;
}

let turn: Promise<void> | undefined;

/** The next turn of the event loop, which all wait for who want to read more. */
function nextTurn(): Promise<void> {
  return turn ??= new Promise((resolve) =>
    // An immediate would come before what there is to be read elsewhere.
    setTimeout(() => {
      busyInTurn = 0;
      turn = undefined;
      resolve();
    }, 0)
  );
}

/** How a process ended, as the end of a sentence. */
export function exitText({ code, signal }: Exit): string {
  return signal === null
    ? `exited with code ${code}`
    : `was ended by ${signal}`;
}
