// A child: one process with three pipes, started without a shell in a group
// of its own, and ended together with all that it started.

import crossSpawn from "cross-spawn";
import type { ChildProcess, spawn as nodeSpawn } from "node:child_process";
import { basename, dirname, SEPARATOR } from "@std/path";
import { pluginEnvironment } from "./plugin_environment.ts";
import { inOwnGroup, signalGroup } from "./process_group.ts";
import { forget, HOST_ID, HOST_ID_VARIABLE, watch } from "./reaper.ts";

/** What is started, and who takes what it writes. */
export interface ChildOptions {
  /** The command and its arguments. */
  argv: readonly string[];
  /** Its environment; {@linkcode pluginEnvironment} unless given. */
  env?: Record<string, string>;
  /** The folder it starts in; the host's own unless given. */
  cwd?: string;
  /** Called with each piece of its stdout. */
  onStdout(chunk: Uint8Array): void;
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

/** cross-spawn has the shape of Node's, and no types of its own. */
const spawn: typeof nodeSpawn = crossSpawn;

/** How long what a dead process left in its pipes may take to be read, in milliseconds. */
const DRAIN = 2_000;

/** The processes that are alive; whatever happens, none may outlive the host. */
const alive = new Set<Child>();

/** Ends all processes that this host started, at once. */
export function killAll(): void {
  for (const child of alive) child.kill("SIGKILL");
}

/** One process. */
export class Child {
  /**
   * Resolves when the process is gone and all that it wrote has been taken.
   * Rejects when it could not be started.
   */
  readonly exited: Promise<Exit>;
  readonly #process: ChildProcess;

  constructor(options: ChildOptions) {
    const { argv, detached } = inOwnGroup(options.argv);
    const [command, ...args] = argv;
    const child = spawn(spawnable(command!), args, {
      stdio: ["pipe", "pipe", "pipe"],
      detached,
      windowsHide: true,
      env: {
        ...(options.env ?? pluginEnvironment()),
        [HOST_ID_VARIABLE]: HOST_ID,
      },
      cwd: options.cwd,
    });
    this.#process = child;
    child.stdout!.on("data", (data) => options.onStdout(plain(data)));
    child.stdout!.on("end", options.onStdoutEnd);
    child.stderr!.on("data", (data) => options.onStderr(plain(data)));
    // What it does not read it will not read: its exit tells the reason.
    child.stdin!.on("error", () => {});
    child.stdout!.on("error", () => {});
    child.stderr!.on("error", () => {});
    if (child.pid !== undefined) {
      alive.add(this);
      watch(child.pid);
    }
    this.exited = this.#exit();
    this.exited.catch(() => {});
  }

  /** Its process id; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Writes to its stdin. */
  write(bytes: Uint8Array): void {
    this.#process.stdin!.write(bytes);
  }

  /** Ends its stdin, once all that was written has been taken. */
  closeStdin(): void {
    this.#process.stdin!.end();
  }

  /** Signals the process and all that it started. */
  kill(signal: "SIGTERM" | "SIGKILL"): void {
    if (this.pid === undefined || signalGroup(this.pid, signal)) return;
    // It has been started so lately that it leads no group yet.
    if (alive.has(this)) this.#process.kill(signal);
  }

  #exit(): Promise<Exit> {
    const child = this.#process;
    return new Promise((resolve, reject) => {
      child.once("error", (error) => {
        alive.delete(this);
        reject(error);
      });
      child.once("exit", (code, signal) => {
        // What it started must not outlive it, nor hold its pipes open.
        alive.delete(this);
        this.kill("SIGKILL");
        forget(this.pid!);
        const exit = exitOf(code, signal);
        const patience = setTimeout(() => {
          child.stdout!.destroy();
          child.stderr!.destroy();
        }, DRAIN);
        child.once("close", () => {
          clearTimeout(patience);
          resolve(exit);
        });
      });
    });
  }
}

/**
 * Deno takes the path of its own executable for Node's and rewrites the
 * arguments; in a compiled program that is the program's path, which must stay
 * what it is. Another name for the same file is not recognised.
 */
function spawnable(command: string): string {
  return Deno.build.standalone && command === Deno.execPath()
    ? [dirname(command), ".", basename(command)].join(SEPARATOR)
    : command;
}

const SIGNALS: Record<number, string> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  6: "SIGABRT",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  15: "SIGTERM",
};

/** Deno up to 2.4 tells of a death by signal as exit code 128 + its number. */
function exitOf(code: number | null, signal: string | null): Exit {
  if (signal !== null) return { code: null, signal };
  const named = code === null ? undefined : SIGNALS[code - 128];
  return named === undefined ? { code, signal } : { code: null, signal: named };
}

/** The same bytes without Node's methods, which take their time. */
function plain(data: Uint8Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** How a process ended, as the end of a sentence. */
export function exitText({ code, signal }: Exit): string {
  return signal === null
    ? `exited with code ${code}`
    : `was ended by ${signal}`;
}
