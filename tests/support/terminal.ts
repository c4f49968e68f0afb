// A terminal that a test can type on and read: tmux, whose control mode reports every output.

import type { Workspace } from "./harness.ts";
import { shellQuote } from "./shell.ts";
import { HANG_LIMIT_MS } from "./within.ts";

const decoder = new TextDecoder();

/** Options of {@linkcode Terminal.open}. */
export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  /** Environment variables in addition to the test's. */
  readonly env?: Readonly<Record<string, string>>;
  /** What follows the command in the shell's command line, for example a pipe. */
  readonly behind?: string;
}

/** A program on a terminal, which shows `ended CODE` once the program has exited. */
export class Terminal {
  readonly #socket: string;
  readonly #watcher: Deno.ChildProcess;
  readonly #watched: Promise<void>;
  #wake = Promise.withResolvers<void>();

  private constructor(socket: string) {
    this.#socket = socket;
    this.#watcher = new Deno.Command("tmux", {
      args: ["-S", socket, "-C", "attach"],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
      cwd: "/",
    }).spawn();
    this.#watched = this.#watch();
  }

  /** Runs baler on a terminal. */
  static open(
    bench: Workspace,
    args: readonly string[],
    options?: TerminalOptions,
  ): Promise<Terminal> {
    return Terminal.run(
      bench,
      [...bench.argv, ...args].map(shellQuote).join(" "),
      options,
    );
  }

  /** Runs a shell's command line on a terminal. */
  static async run(
    bench: Pick<Workspace, "home" | "path" | "env">,
    line: string,
    { columns = 80, rows = 24, env = {}, behind = "" }: TerminalOptions = {},
  ): Promise<Terminal> {
    const socket = `${bench.home}/tmux-${crypto.randomUUID().slice(0, 8)}`;
    const variables = Object.entries({
      TERM: "screen-256color",
      LANG: "C.UTF-8",
      ...bench.env,
      ...env,
    }).map(([name, value]) => shellQuote(`${name}=${value}`));
    // Ctrl-C must reach the program only; the shell survives it to print the exit code.
    const command = `trap : INT; env -i ${
      variables.join(" ")
    } ${line} ${behind}; echo "ended $?"; cat > /dev/null`;
    const { success, stderr } = await tmux(
      socket,
      ...["-f", "/dev/null", "new-session", "-d"],
      ...["-x", String(columns), "-y", String(rows)],
      // The shell waits until the control client is attached, so that no output is missed.
      ...["-c", bench.path, `tmux wait-for ready; ${command}`],
      ...[";", "set-option", "-g", "window-size", "manual"],
      ...[";", "set-option", "-g", "history-limit", "10000"],
    );
    if (!success) throw new Error(decoder.decode(stderr));
    const terminal = new Terminal(socket);
    await tmux(socket, "wait-for", "-S", "ready");
    return terminal;
  }

  async type(text: string): Promise<void> {
    await tmux(this.#socket, "send-keys", "-l", "--", text);
  }

  /** Presses keys by their names in tmux, for example `"Enter"` or `"C-c"`. */
  async press(...keys: string[]): Promise<void> {
    await tmux(this.#socket, "send-keys", ...keys);
  }

  /** The text on the terminal and in its scrollback, without blank lines at the end; with `colors`, escape sequences too. */
  async text({ colors = false } = {}): Promise<string> {
    const { stdout } = await tmux(
      this.#socket,
      ...["capture-pane", "-p", "-S", "-"],
      ...(colors ? ["-e"] : []),
    );
    return decoder.decode(stdout).trimEnd();
  }

  /** Waits until the text matches; returns the text. */
  async shows(pattern: RegExp): Promise<string> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake.resolve();
    }, HANG_LIMIT_MS);
    try {
      for (;;) {
        const wake = this.#wake.promise;
        const text = await this.text();
        if (pattern.test(text)) return text;
        if (late) {
          throw new Error(`${pattern} is not on the terminal:\n${text}`);
        }
        await wake;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await tmux(this.#socket, "kill-server");
    await this.#watcher.stdin.close().catch(() => {});
    await this.#watched;
    await this.#watcher.status;
  }

  async #watch(): Promise<void> {
    for await (const _ of this.#watcher.stdout) {
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    }
  }
}

async function tmux(
  socket: string,
  ...args: string[]
): Promise<Deno.CommandOutput> {
  return await new Deno.Command("tmux", {
    args: ["-S", socket, ...args],
    cwd: "/",
    env: { LANG: "C.UTF-8" },
    stdin: "null",
  }).output();
}
