// The standard streams of the processes that a plugin starts: none of them inherits
// the wire. An inherited stdin is empty, and an inherited stdout is redirected to
// stderr.

import { nodeProcess } from "./node_process.ts";
import { isStderrUnread, stderrStream, writeStderr } from "./stderr.ts";

/** The file descriptor of stderr. */
const STDERR = 2;

/** Keeps the wire from the children of `Deno.Command` and of Node's `spawn`. */
export function keepWireFromChildren(): void {
  Object.defineProperty(Deno, "Command", {
    value: commandWithoutWire(Deno.Command),
    configurable: true,
  });
  keepWireFromNodeChildren();
}

/** The options of Node's spawn, as its ChildProcess gets them. */
interface NodeSpawnOptions {
  stdio?: unknown;
}

/**
 * Keeps the wire from children that Node's `spawn` starts. Deno up to 2.4 offers no
 * hook for this: there a plugin has to set the stdio of such children.
 */
function keepWireFromNodeChildren(): void {
  const { ChildProcess } = nodeProcess().getBuiltinModule(
    "node:child_process",
  ) as {
    ChildProcess: {
      prototype: { spawn?(options: NodeSpawnOptions): unknown };
    };
  };
  const { prototype } = ChildProcess;
  const { spawn } = prototype;
  if (spawn === undefined) return;
  prototype.spawn = function (options) {
    const { stdio = "pipe" } = options;
    const [stdin, stdout, stderr, ...rest] = Array.isArray(stdio)
      ? stdio
      : [stdio, stdio, stdio];
    // SIGPIPE would kill a child that writes to a pipe without a reader.
    const inherited = isStderrUnread() ? "ignore" : STDERR;
    return spawn.call(this, {
      ...options,
      stdio: [
        stdin === "inherit" || stdin === 0 ? "ignore" : stdin,
        stdout === "inherit" || stdout === 1 ? inherited : stdout,
        stderr === "inherit" || stderr === STDERR ? inherited : stderr,
        ...rest,
      ],
    });
  };
}

/** A Deno.Command whose children do not inherit the wire, by default or by request. */
function commandWithoutWire(Command: typeof Deno.Command): unknown {
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
      if (inheritsStdout) void child.stdout.pipeTo(stderrStream());
      return child;
    }

    async output(): Promise<Deno.CommandOutput> {
      const { command, inheritsStdout } = this.#with("piped");
      return shown(await command.output(), inheritsStdout);
    }

    outputSync(): Deno.CommandOutput {
      const { command, inheritsStdout } = this.#with("piped");
      return shown(command.outputSync(), inheritsStdout);
    }

    /** The command; its stdout and stderr are Deno's default for the method unless given. */
    #with(usual: "inherit" | "piped") {
      const { stdin, stdout = usual, stderr = usual } = this.#options;
      const inheritsStdout = stdout === "inherit";
      const command = new Command(this.#command, {
        ...this.#options,
        stdin: stdin === "piped" ? "piped" : "null",
        stdout: inheritsStdout ? "piped" : stdout,
        // SIGPIPE would kill a child that writes to a pipe without a reader.
        stderr: stderr === "inherit" && isStderrUnread() ? "null" : stderr,
      });
      return { command, inheritsStdout };
    }
  };
}

function shown(
  output: Deno.CommandOutput,
  inheritsStdout: boolean,
): Deno.CommandOutput {
  if (inheritsStdout) writeStderr(output.stdout);
  return output;
}
