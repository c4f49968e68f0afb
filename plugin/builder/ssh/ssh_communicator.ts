// The communicator "ssh": a machine that is reached with OpenSSH's client.

import type {
  RemoteCommand,
  RunningCommand,
} from "../../contract/communicator.ts";
import { shellQuote } from "../../common/shell_quote.ts";
import { LocalProcess } from "../../process/local_process.ts";
import { CommandCommunicator } from "../communicators/command_communicator.ts";
import {
  SshConnection,
  SshConnectionLostError,
  type SshConnectionOptions,
} from "./ssh_connection.ts";

/** OpenSSH's own exit status; a command can have it too. */
const CLIENT_FAILURE_STATUS = 255;

/** How long an aborted command has until it is killed, in steps of 200 ms. */
const TERMINATE_STEPS = 10;

/** How long ending a command may take, in milliseconds. */
const END_TIMEOUT_MS = 10_000;

/** What the machine writes before a command starts: the id of its process. */
const PID_LINE = /^baler-pid:(\d+)\n/;

/**
 * Runs commands and copies files over ssh.
 *
 * - It connects at the first use, and again when the connection broke between
 *   two commands. A command that was running then fails with
 *   {@linkcode SshConnectionLostError}.
 * - An aborted command is ended with all it started: sshd itself ends nothing
 *   when its channel closes. (Not with `ssh_pty`: there the terminal's end does.)
 *
 * @example
 * ```ts ignore
 * await using communicator = new SshCommunicator({
 *   target: { host: "10.0.0.5", port: 22, username: "root" },
 *   config,
 * });
 * await communicator.connect(signal);
 * ```
 */
export class SshCommunicator extends CommandCommunicator
  implements AsyncDisposable {
  readonly #connection: SshConnection;
  readonly #pty: boolean;
  readonly #running = new Set<LocalProcess>();

  /**
   * Connects to nothing yet.
   *
   * @param options Where to, and how.
   */
  constructor(options: SshConnectionOptions) {
    super();
    this.#connection = new SshConnection(options);
    this.#pty = options.config.ssh_pty;
  }

  /**
   * Connects, and tries again until it works.
   *
   * @param signal Gives up when aborted.
   * @throws {SshTimeoutError} When it does not work in time.
   */
  connect(signal?: AbortSignal): Promise<void> {
    return this.#connection.connect(signal);
  }

  /** Starts a command in the user's shell. */
  override async start(
    { command, stdin, stdout, stderr, signal }: RemoteCommand,
  ): Promise<RunningCommand> {
    await this.#connection.connect(signal);
    signal?.throwIfAborted();
    const pid = this.#pty ? undefined : new PidFilter(stderr);
    // The user's shell reads the command as sshd would have given it.
    const process = new LocalProcess({
      argv: this.#connection.session(
        pid
          ? `exec sh -c ${
            shellQuote(
              `echo "baler-pid:$$" >&2; exec "\${SHELL:-/bin/sh}" -c "$0"`,
            )
          } ${shellQuote(command)}`
          : command,
        { pty: this.#pty, hasStdin: stdin !== undefined },
      ),
      stdin,
      stdout,
      stderr: pid ? pid.writable : stderr,
    });
    this.#running.add(process);
    const wait = this.#wait(process, pid, signal);
    wait.catch(() => {});
    return { wait: () => wait };
  }

  /** Ends the connection and every command that still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [...this.#running].map((process) => process[Symbol.asyncDispose]()),
    );
    await this.#connection[Symbol.asyncDispose]();
  }

  async #wait(
    process: LocalProcess,
    pid: PidFilter | undefined,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const end = async () => {
      if (pid?.pid !== undefined) await this.#end(pid.pid);
      await process[Symbol.asyncDispose]();
    };
    let ending: Promise<void> | undefined;
    const abort = () => void (ending ??= end().catch(() => {}));
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
    try {
      const status = await process.wait();
      if (signal?.aborted) {
        await ending;
        throw signal.reason;
      }
      if (
        status === CLIENT_FAILURE_STATUS && !await this.#connection.check()
      ) {
        throw new SshConnectionLostError(
          "the ssh connection was lost while the command ran",
        );
      }
      return status;
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#running.delete(process);
    }
  }

  /** Ends a process on the machine with its group, which sshd made for it. */
  async #end(pid: number): Promise<void> {
    const [program, ...args] = this.#connection.session(
      `sh -c ${
        shellQuote(
          `kill -TERM -${pid} 2>/dev/null || exit 0; i=0
while [ $i -lt ${TERMINATE_STEPS} ]; do
  kill -0 -${pid} 2>/dev/null || exit 0; sleep 0.2; i=$((i+1))
done
kill -KILL -${pid}`,
        )
      }`,
    );
    await new Deno.Command(program!, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "null",
      signal: AbortSignal.timeout(END_TIMEOUT_MS),
    }).output();
  }
}

/** Takes the first line, with the id of the process, out of a command's stderr. */
class PidFilter {
  readonly writable: WritableStream<Uint8Array>;
  pid: number | undefined;

  constructor(to: WritableStream<Uint8Array> | undefined) {
    const writer = to?.getWriter();
    writer?.closed.catch(() => {});
    let head: Uint8Array | undefined = new Uint8Array();
    const flush = async () => {
      const rest = head;
      head = undefined;
      if (rest?.length) await writer?.write(rest);
    };
    this.writable = new WritableStream({
      write: async (chunk) => {
        if (head === undefined) return await writer?.write(chunk);
        const all: Uint8Array = new Uint8Array(head.length + chunk.length);
        all.set(head);
        all.set(chunk, head.length);
        head = all;
        const match = PID_LINE.exec(
          new TextDecoder("latin1").decode(all.subarray(0, 40)),
        );
        if (match) {
          this.pid = Number(match[1]);
          head = all.subarray(match[0].length);
          await flush();
        } else if (all.includes(10) || all.length > 40) await flush();
      },
      close: async () => {
        await flush();
        await writer?.close();
      },
      abort: async (reason) => await writer?.abort(reason),
    });
  }
}
