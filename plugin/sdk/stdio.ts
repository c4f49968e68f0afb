// The plugin's standard streams: stdin and stdout belong to the wire. What
// else in the process would read the one finds nothing, and what would print
// to the other prints to stderr. (What gets past this, like a function that
// someone kept from console before, becomes a line of text that the host can
// tell from a message.)

import type { Write } from "../rpc/send_buffer.ts";
import { EventLoopYield } from "../common/event_loop_yield.ts";

/** The wire's two ends in this process. */
export interface WireStreams {
  /**
   * Reads the next piece into the buffer; null at the end.
   *
   * @param isComing Whether the host writes it now, or soon.
   */
  read(
    buffer: Uint8Array,
    isComing: boolean,
  ): Promise<number | null> | number | null;
  /** Writes all of it, in order. */
  write: Write;
}

/**
 * Takes stdin and stdout for the wire. From then on console.log and all its
 * kin, Deno.stdout and process.stdout write to stderr, Deno.stdin and
 * process.stdin have nothing to read, and a child process inherits neither.
 */
export function claimStdio(): WireStreams {
  const { stdin, stdout, stderr } = Deno;
  const streams = {
    read: wireReader(stdin),
    write: wireWriter(stdout),
  };

  console.log = console.info = console.debug = console.error;
  console.dir = (value: unknown) => console.error(value);
  moveToStderr(console);

  const describe = (name: string, value: unknown) =>
    Object.defineProperty(Deno, name, { value, configurable: true });
  describe("stdout", {
    write: stderr.write.bind(stderr),
    writeSync: stderr.writeSync.bind(stderr),
    writable: new WritableStream<Uint8Array>({
      write: (chunk) => writeAllSync(stderr, chunk),
    }),
    isTerminal: () => false,
    close() {},
  });
  describe("stdin", {
    read: () => Promise.resolve(null),
    readSync: () => null,
    readable: new ReadableStream({ start: (controller) => controller.close() }),
    isTerminal: () => false,
    setRaw() {},
    close() {},
  });
  describe("Command", commandWithoutStdio(Deno.Command));

  const refuse = () => {
    throw new Error(
      "a plugin has no terminal of its own: ask with `ui.ask()` instead",
    );
  };
  globalThis.prompt = globalThis.confirm = globalThis.alert = refuse;

  const { process } = globalThis;
  keepFromNodesChildren(process);
  Object.defineProperty(process, "stdout", {
    get: () => process.stderr,
    configurable: true,
  });
  Object.defineProperty(process, "stdin", {
    get: () => process.getBuiltinModule("node:stream").Readable.from([]),
    configurable: true,
  });
  return streams;
}

/** The methods of the console that print to stdout and are called now and then. */
const LAZY_CONSOLE_METHODS = [
  "table",
  "dirxml",
  "group",
  "groupCollapsed",
  "groupEnd",
  "count",
  "countReset",
  "time",
  "timeLog",
  "timeEnd",
] as const;

/** Lets a console on stderr do them, which is loaded by the first that is called. */
function moveToStderr(console: Console): void {
  let onStderr: Console | undefined;
  for (const name of LAZY_CONSOLE_METHODS) {
    console[name] = (...values: unknown[]) => {
      const { process } = globalThis;
      onStderr ??= new (process.getBuiltinModule("node:console").Console)(
        process.stderr,
      ) as Console;
      (onStderr[name] as (...values: unknown[]) => void)(...values);
    };
  }
}

/** How long the host takes for a piece at the most, in milliseconds, if not over a slow line. */
const PROMPT = 20;

/** How often another thread waits instead, once the host was not prompt. */
const BACKOFF_READS = 100;

/**
 * Whether to wait for the host here, which takes less than to change threads,
 * or in another thread, since it has been slow of late.
 */
class Patience {
  #wary = 0;

  /** Asks, once for each time. */
  isThere(): boolean {
    return this.#wary === 0 || this.#wary-- === 0;
  }

  /** Takes how long the host was waited for, in milliseconds. */
  spend(time: number): void {
    if (time > PROMPT) this.#wary = BACKOFF_READS;
  }
}

/** After how long the event loop gets its turn all the same, in milliseconds. */
const TURN = 10;

/** How much is read here at once, in bytes: a quarter of a wide pipe, which the host fills up meanwhile. */
const MAX_SYNC_READ_BYTES = 256 * 1024;

/**
 * Reads in another thread, as Deno does, in which it may take its time. What
 * is on its way is read here and now, as long as it keeps coming.
 */
function wireReader(
  stdin: {
    readSync(buffer: Uint8Array): number | null;
    read(buffer: Uint8Array): Promise<number | null>;
  },
): WireStreams["read"] {
  const patience = new Patience();
  const turns = new EventLoopYield(TURN);
  /** When the last was read here. */
  let last: number | undefined;
  const readElsewhere = (buffer: Uint8Array) => {
    last = undefined;
    return stdin.read(buffer);
  };
  return (buffer, isComing) => {
    if (!isComing) return readElsewhere(buffer);
    const now = performance.now();
    // With what was done with it, which seldom counts.
    if (last !== undefined) patience.spend(now - last);
    last = now;
    if (turns.shouldYield || !patience.isThere()) return readElsewhere(buffer);
    try {
      return stdin.readSync(buffer.subarray(0, MAX_SYNC_READ_BYTES));
    } catch (error) {
      // A pipe that does not wait.
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      return readElsewhere(buffer);
    }
  };
}

/** What is as much, in bytes, may have to wait until the host has read it. */
const LARGE_WRITE_BYTES = 32 * 1024;

/** How much is written until it is asked how long that took, in bytes. */
const PIECE = 256 * 1024;

/**
 * Writes here and now, and waits in the kernel should the pipe be full: the
 * host always reads. What the host does not take promptly is written while the
 * plugin goes on.
 */
function wireWriter(
  stdout: {
    writeSync(bytes: Uint8Array): number;
    write(bytes: Uint8Array): Promise<number>;
  },
): Write {
  const patience = new Patience();
  let waiting = 0;
  let queue = Promise.resolve();
  const writeLater = async (bytes: Uint8Array) => {
    while (bytes.length > 0) bytes = bytes.subarray(await stdout.write(bytes));
  };
  return (bytes) => {
    try {
      while (waiting === 0) {
        let count: number;
        if (bytes.length < LARGE_WRITE_BYTES) count = stdout.writeSync(bytes);
        else if (!patience.isThere()) break;
        else {
          const begin = performance.now();
          count = stdout.writeSync(bytes.subarray(0, PIECE));
          patience.spend(performance.now() - begin);
        }
        if (count === bytes.length) return;
        bytes = bytes.subarray(count);
      }
    } catch (error) {
      // The host is gone: the end of stdin, which follows, tells the rest.
      if (error instanceof Deno.errors.BrokenPipe) return;
      // A pipe that does not wait.
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
    }
    waiting++;
    queue = queue.then(() => writeLater(bytes)).catch(() => {}).finally(() => {
      waiting--;
    });
    return queue;
  };
}

/** What Node's spawn is given, as its ChildProcess gets it. */
interface NodeSpawnOptions {
  stdio?: unknown;
}

/**
 * The same for children that Node's `spawn` starts. Deno up to 2.4 has no
 * place to take hold of them: there a plugin names the stdio of such children.
 */
function keepFromNodesChildren(process: typeof globalThis.process): void {
  const { ChildProcess } = process.getBuiltinModule("node:child_process");
  const prototype = ChildProcess.prototype as unknown as {
    spawn?(options: NodeSpawnOptions): unknown;
  };
  const { spawn } = prototype;
  if (spawn === undefined) return;
  prototype.spawn = function (options) {
    const { stdio = "pipe" } = options;
    const [stdin, stdout, ...rest] = Array.isArray(stdio)
      ? stdio
      : [stdio, stdio, stdio];
    return spawn.call(this, {
      ...options,
      stdio: [
        stdin === "inherit" || stdin === 0 ? "ignore" : stdin,
        stdout === "inherit" || stdout === 1 ? STDERR : stdout,
        ...rest,
      ],
    });
  };
}

const STDERR = 2;

async function toStderr(stream: ReadableStream<Uint8Array>): Promise<void> {
  for await (const chunk of stream) writeAllSync(Deno.stderr, chunk);
}

function writeAllSync(
  target: { writeSync(bytes: Uint8Array): number },
  bytes: Uint8Array,
): void {
  while (bytes.length > 0) bytes = bytes.subarray(target.writeSync(bytes));
}

/** A Deno.Command whose children do not inherit the wire, by default or by request. */
function commandWithoutStdio(Command: typeof Deno.Command): unknown {
  return class {
    readonly #command: string | URL;
    readonly #options: Deno.CommandOptions;

    constructor(command: string | URL, options: Deno.CommandOptions = {}) {
      this.#command = command;
      this.#options = options;
    }

    spawn(): Deno.ChildProcess {
      const { command, inheritsStdout } = this.#with("inherit");
      const child = command.spawn();
      if (inheritsStdout) {
        void toStderr(child.stdout);
      }
      return child;
    }

    async output(): Promise<Deno.CommandOutput> {
      const { command, inheritsStdout } = this.#with("piped");
      return this.#shown(await command.output(), inheritsStdout);
    }

    outputSync(): Deno.CommandOutput {
      const { command, inheritsStdout } = this.#with("piped");
      return this.#shown(command.outputSync(), inheritsStdout);
    }

    /** The command, with stdout as Deno has it by default where it is not given. */
    #with(usual: "inherit" | "piped") {
      const { stdin, stdout = usual } = this.#options;
      const inheritsStdout = stdout === "inherit";
      const command = new Command(this.#command, {
        ...this.#options,
        stdin: stdin === "piped" ? "piped" : "null",
        stdout: inheritsStdout ? "piped" : stdout,
      });
      return { command, inheritsStdout };
    }

    #shown(output: Deno.CommandOutput, inherits: boolean): Deno.CommandOutput {
      if (inherits) writeAllSync(Deno.stderr, output.stdout);
      return output;
    }
  };
}
