// The communicator "ssh": a machine that is reached with OpenSSH's client.

import type {
  DirectoryTransfer,
  Download,
  RemoteCommand,
  RunningCommand,
  Upload,
} from "../../contract/communicator.ts";
import { delay } from "../../common/delay.ts";
import { shellQuote } from "../../common/shell_quote.ts";
import { LocalProcess } from "../../process/local_process.ts";
import { CommandCommunicator } from "../communicators/command_communicator.ts";
import type { SftpTransfers } from "./sftp_transfers.ts";
import {
  SshConnection,
  SshConnectionLostError,
  type SshConnectionOptions,
} from "./ssh_connection.ts";
import { StartMark } from "./start_mark.ts";

/** OpenSSH's own exit status; a command can have it too. */
const CLIENT_FAILURE_STATUS = 255;

/** How often a command is sent again when the connection broke before it had started. */
const MAX_START_ATTEMPTS = 3;

/** How long an aborted command has until it is killed, in steps of 200 ms. */
const TERMINATE_STEPS = 10;

/** How long an aborted command may take to start, so that it can be ended, in milliseconds. */
const START_TIMEOUT_MS = 2_000;

const NEVER = new AbortController().signal;

/** How long ending a command may take, in milliseconds. */
const END_TIMEOUT_MS = 10_000;

/**
 * Runs commands and copies files over ssh.
 *
 * - It connects at the first use, and again when the connection broke between
 *   two commands. A command that was running then fails with
 *   {@linkcode SshConnectionLostError}; one that had not started is sent again.
 * - An aborted command is ended with all it started: sshd itself ends nothing
 *   when its channel closes.
 * - With `ssh_file_transfer_method` `scp` files are copied by commands, as in
 *   {@linkcode CommandCommunicator}; with `sftp` by sshd's subsystem, which needs
 *   no shell on the machine.
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
  readonly #usesSftp: boolean;
  readonly #running = new Set<LocalProcess>();
  #sftp: Promise<SftpTransfers> | undefined;

  /**
   * Connects to nothing yet.
   *
   * @param options Where to, and how.
   */
  constructor(options: SshConnectionOptions) {
    super();
    this.#connection = new SshConnection(options);
    this.#pty = options.config.ssh_pty;
    this.#usesSftp = options.config.ssh_file_transfer_method === "sftp";
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

  /**
   * Ends the connection, with the commands that still run. The next use makes
   * another one.
   */
  async disconnect(): Promise<void> {
    await Promise.all(
      [...this.#running].map((process) => process[Symbol.asyncDispose]()),
    );
    await this.#connection.close();
  }

  /** Starts a command in the user's shell. */
  override start(command: RemoteCommand): Promise<RunningCommand> {
    return this.#startAgain(command, this.#pty);
  }

  /** Starts a command without a terminal, which would change bytes. */
  protected override startTransfer(
    command: RemoteCommand,
  ): Promise<RunningCommand> {
    return this.#startAgain(command, false);
  }

  async #startAgain(
    command: RemoteCommand,
    pty: boolean,
  ): Promise<RunningCommand> {
    const { signal } = command;
    for (let attempt = 1;; attempt++) {
      await this.#connection.connect(signal);
      signal?.throwIfAborted();
      const running = await this.#start(command, pty);
      if (running) return running;
      if (attempt === MAX_START_ATTEMPTS) {
        throw new SshConnectionLostError(
          `the ssh connection was lost ${attempt} times before the command had started`,
        );
      }
    }
  }

  /** Writes a file. */
  override async upload(upload: Upload): Promise<void> {
    if (!this.#usesSftp) return await super.upload(upload);
    await (await this.#transfers()).upload(upload);
  }

  /** Reads a file. */
  override async download(download: Download): Promise<void> {
    if (!this.#usesSftp) return await super.download(download);
    await (await this.#transfers()).download(download);
  }

  /** Copies a directory of this machine there. */
  override async uploadDir(transfer: DirectoryTransfer): Promise<void> {
    if (!this.#usesSftp) return await super.uploadDir(transfer);
    await (await this.#transfers()).uploadDir(transfer);
  }

  /** Copies a directory, or all that a path with wildcards matches, to this machine. */
  override async downloadDir(transfer: DirectoryTransfer): Promise<void> {
    if (!this.#usesSftp) return await super.downloadDir(transfer);
    await (await this.#transfers()).downloadDir(transfer);
  }

  /** Ends the connection and every command that still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect();
    await this.#connection[Symbol.asyncDispose]();
  }

  #transfers(): Promise<SftpTransfers> {
    return this.#sftp ??= import("./sftp_transfers.ts").then(
      ({ SftpTransfers }) => new SftpTransfers(this.#connection),
    );
  }

  /** Returns nothing when the connection was lost before the command had started. */
  async #start(
    { command, stdin, stdout, stderr, signal }: RemoteCommand,
    pty: boolean,
  ): Promise<RunningCommand | undefined> {
    // A terminal has one output.
    const marked = pty ? "stdout" : "stderr";
    const mark = new StartMark();
    // The user's shell reads the command as sshd would have given it. Another
    // one around it, in the same process group, turns the death by a signal into
    // an exit status. sshd's bash has read .bashrc; with SHLVL the second one does not.
    const process = new LocalProcess({
      argv: this.#connection.session(
        `exec sh -c ${
          shellQuote(
            `${
              StartMark.script(marked)
            }; SHLVL=1 "\${SHELL:-/bin/sh}" -c "$0"; exit $?`,
          )
        } ${shellQuote(command)}`,
        { pty, hasStdin: stdin !== undefined },
      ),
      stdin: stdin && mark.after(stdin),
      stdout: stdout || marked === "stdout"
        ? mark.output(stdout, marked === "stdout")
        : undefined,
      stderr: stderr || marked === "stderr"
        ? mark.output(stderr, marked === "stderr")
        : undefined,
    });
    this.#running.add(process);
    const wait = this.#wait(process, mark, signal);
    wait.catch(() => {});
    const hasStarted = await Promise.race([
      mark.started.then(() => true),
      wait.then(() => mark.isStarted, () => mark.isStarted),
    ]);
    if (!hasStarted) {
      if (signal?.aborted) throw signal.reason;
      if (!await this.#connection.check()) return undefined;
    }
    await mark.release();
    return { wait: () => wait };
  }

  async #wait(
    process: LocalProcess,
    mark: StartMark,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const end = async () => {
      if (mark.pid === undefined) {
        // It may be about to start.
        await Promise.race([
          mark.started,
          process.wait().catch(() => {}),
          delay(START_TIMEOUT_MS, NEVER),
        ]);
      }
      if (mark.pid !== undefined) await this.#end(mark.pid);
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

  /**
   * Ends a process on the machine with all that it started: its group, which
   * OpenSSH's sshd makes for it, or else its descendants, as with dropbear.
   */
  async #end(pid: number): Promise<void> {
    const [program, ...args] = this.#connection.session(
      `sh -c ${
        shellQuote(
          `children() {
  parent=$1
  for directory in /proc/[0-9]*; do
    read -r line 2>/dev/null <"$directory/stat" || continue
    set -- \${line##*) }
    [ "$2" != "$parent" ] || echo "\${directory#/proc/}"
  done
}
tree() {
  echo "$1"
  for child in $(children "$1"); do tree "$child"; done
}
all=-${pid}
kill -0 $all 2>/dev/null || all=$(tree ${pid})
alive() {
  for one in $all; do kill -0 "$one" 2>/dev/null && return; done
  exit 0
}
kill -TERM $all 2>/dev/null; i=0
while [ $i -lt ${TERMINATE_STEPS} ]; do
  alive; sleep 0.2; i=$((i+1))
done
kill -KILL $all 2>/dev/null`,
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
