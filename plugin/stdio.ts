// The plugin's standard streams: stdin and stdout belong to the wire, and
// nothing else in the process can read the one or write to the other.

/** The wire's two ends in this process. */
export interface WireStreams {
  /** Reads the next piece into the buffer; null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes all of it, in order. */
  write(bytes: Uint8Array): void;
}

/**
 * Takes stdin and stdout for the wire. From then on console.log and all its
 * kin, Deno.stdout and process.stdout write to stderr, Deno.stdin and
 * process.stdin have nothing to read, and a child process inherits neither.
 */
export async function takeStdio(): Promise<WireStreams> {
  const { stdin, stdout, stderr } = Deno;
  const streams = {
    read: stdin.read.bind(stdin),
    write: blockingWriter(stdout),
  };

  console.log = console.info = console.debug = console.error;
  console.dir = (value: unknown) => console.error(value);

  const describe = (name: string, value: unknown) =>
    Object.defineProperty(Deno, name, { value, configurable: true });
  describe("stdout", stderr);
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

  const { default: process } = await import("node:process");
  Object.defineProperty(process, "stdout", {
    value: process.stderr,
    configurable: true,
  });
  return streams;
}

/**
 * Writes at once, and waits in the kernel where the pipe is full: the host
 * always reads, and a turn of the event loop costs more than the write.
 */
function blockingWriter(
  stdout: {
    writeSync(bytes: Uint8Array): number;
    write(bytes: Uint8Array): Promise<number>;
  },
): (bytes: Uint8Array) => void {
  // Set once the pipe turns out to be one that does not wait.
  let queue: Promise<void> | undefined;
  const writeLater = async (bytes: Uint8Array) => {
    while (bytes.length > 0) bytes = bytes.subarray(await stdout.write(bytes));
  };
  return (bytes) => {
    if (queue === undefined) {
      try {
        while (bytes.length > 0) {
          bytes = bytes.subarray(stdout.writeSync(bytes));
        }
        return;
      } catch (error) {
        // The host is gone: the end of stdin, which follows, tells the rest.
        if (error instanceof Deno.errors.BrokenPipe) return;
        if (!(error instanceof Deno.errors.WouldBlock)) throw error;
        queue = Promise.resolve();
      }
    }
    queue = queue.then(() => writeLater(bytes)).catch(() => {});
  };
}

/** A Deno.Command whose children do not inherit the wire, by default or by request. */
function commandWithoutStdio(
  Command: typeof Deno.Command,
): typeof Deno.Command {
  return class extends Command {
    readonly #inheritsStdout: boolean;

    constructor(command: string | URL, options: Deno.CommandOptions = {}) {
      const inheritsStdout = options.stdout === "inherit" ||
        options.stdout === undefined;
      super(command, {
        ...options,
        stdin: options.stdin === "piped" ? "piped" : "null",
        stdout: inheritsStdout ? "piped" : options.stdout,
      });
      this.#inheritsStdout = inheritsStdout;
    }

    override spawn(): Deno.ChildProcess {
      const child = super.spawn();
      if (this.#inheritsStdout) {
        child.stdout.pipeTo(Deno.stderr.writable, { preventClose: true })
          .catch(() => {});
      }
      return child;
    }
  };
}
