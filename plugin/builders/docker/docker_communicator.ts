// The communicator "docker": runs commands in a container with `docker exec`.

import { posix } from "node:path";
import { CommandCommunicator } from "../../builder/communicators/command_communicator.ts";
import { LocalProcess } from "../../process/local_process.ts";
import { shellQuote } from "../../common/shell_quote.ts";
import type {
  Communicator,
  DirectoryTransfer,
  Download,
  RemoteCommand,
  RunningCommand,
  Upload,
} from "../../contract/communicator.ts";
import type { Docker } from "./docker_program.ts";

/** The variable with which a command's processes are found in the container. */
const MARK = "BALER_EXEC_ID";

/** How long an ended command's processes have to exit before they are killed, in milliseconds. */
const TERM_TIMEOUT_MS = 2_000;

/** How often they are looked for. */
const END_ATTEMPTS = 10;

/** The most time that one look may take, in milliseconds: a container may be paused. */
const END_TIMEOUT_MS = 10_000;

/** Exit statuses of `docker exec` itself, and of a command whose container was killed. */
const MAY_BE_LOST: ReadonlySet<number> = new Set([
  125,
  126,
  127,
  137,
  143,
  255,
]);

/** How commands run in a container. */
export interface ContainerShellOptions {
  /** The program. */
  docker: Docker;
  /** The name or id of the container. */
  container: string;
  /** The user that commands run as; the container's unless given. */
  user?: string | undefined;
  /** Whether commands run in a terminal. */
  pty?: boolean;
}

/** Commands in a container, and files through commands, all as one user. */
class ContainerShell extends CommandCommunicator {
  readonly #options: ContainerShellOptions;

  constructor(options: ContainerShellOptions) {
    super();
    this.#options = options;
  }

  override start(
    { command, stdin, stdout, stderr, signal }: RemoteCommand,
  ): RunningCommand {
    signal?.throwIfAborted();
    const { docker, pty } = this.#options;
    const id = crypto.randomUUID();
    const process = new LocalProcess({
      ...docker.launch,
      argv: [
        docker.program,
        ...this.#exec(pty ? ["-i", "-t"] : ["-i"], ["-e", `${MARK}=${id}`]),
        "/bin/sh",
        "-c",
        `(${command})`,
      ],
      stdin,
      stdout,
      stderr,
    });
    const wait = this.#wait(process, id, signal);
    wait.catch(() => {});
    return { wait: () => wait };
  }

  #exec(flags: string[], options: string[] = []): string[] {
    const { container, user } = this.#options;
    return [
      "exec",
      ...flags,
      ...(user ? ["-u", user] : []),
      ...options,
      container,
    ];
  }

  async #wait(
    process: LocalProcess,
    id: string,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    let ending: Promise<void> | undefined;
    const abort = () =>
      void (ending ??= this.#end(id).catch(() => {})
        .then(() => process[Symbol.asyncDispose]()));
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const status = await process.wait();
      if (signal?.aborted) {
        await ending;
        throw signal.reason;
      }
      if (MAY_BE_LOST.has(status) && !await this.#isRunning()) {
        throw new Error(
          `the container ended while the command ran (exit status ${status})`,
        );
      }
      return status;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  async #isRunning(): Promise<boolean> {
    const { docker, container } = this.#options;
    return await docker.container(container, "{{.State.Running}}")
      .catch(() => "false") === "true";
  }

  /**
   * Ends the processes that a command has started: docker ends none of them
   * when its client goes away.
   */
  async #end(id: string): Promise<void> {
    const begin = performance.now();
    for (let attempt = 0; attempt < END_ATTEMPTS; attempt++) {
      const found = await this.#sh(FIND, id);
      if (found === "") return;
      const signal = performance.now() - begin < TERM_TIMEOUT_MS && attempt < 5
        ? "TERM"
        : "KILL";
      // As root: a command may have started processes of other users.
      await this.#sh(KILL, `${signal} ${found}`, "0").catch(() => {});
    }
  }

  #sh(script: string, argument: string, user?: string): Promise<string> {
    const { docker, container } = this.#options;
    const exec = user === undefined
      ? this.#exec([])
      : ["exec", "-u", user, container];
    return docker.run([...exec, "/bin/sh", "-c", script, "sh", argument], {
      signal: AbortSignal.timeout(END_TIMEOUT_MS),
    });
  }
}

// Prints the ids of the processes that have the mark in their environment, and
// of all others in their sessions. Only what a shell can do by itself is used:
// an image may contain little else. `read` skips the NUL bytes.
const FIND = `
marked() {
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in *"${MARK}=$mark"*) return 0 ;; esac
  done < "$1/environ"
  return 1
}
session() {
  IFS= read -r stat < "$1/stat" || return 1
  set -- \${stat##*) }
  [ "$1" != Z ] && session=$4
}
mark=$1
sessions=" "
for directory in /proc/[0-9]*; do
  { marked "$directory" && session "$directory"; } 2>/dev/null || continue
  sessions="$sessions$session "
done
[ "$sessions" != " " ] || exit 0
for directory in /proc/[0-9]*; do
  session "$directory" 2>/dev/null || continue
  case $sessions in *" $session "*) printf '%s ' "\${directory#/proc/}" ;; esac
done
`;

// A zombie is not waited for: the container's first process need not be one that
// takes exit statuses.
const KILL = `
set -- $1
signal=$1
shift
for pid; do kill "-$signal" "$pid" 2>/dev/null; done
[ "$signal" = KILL ] && exit 0
i=0
while [ $i -lt 10 ]; do
  left=
  for pid; do
    { IFS= read -r stat < "/proc/$pid/stat"; } 2>/dev/null || continue
    case \${stat##*) } in Z*) ;; *) left=1 ;; esac
  done
  [ -n "$left" ] || exit 0
  sleep 0.2 2>/dev/null || sleep 1 2>/dev/null || exit 0
  i=$((i + 1))
done
`;

/** How a {@linkcode DockerCommunicator} works. */
export interface DockerCommunicatorOptions extends ContainerShellOptions {
  /** The user that uploaded files belong to; root unless given. */
  owner?: string | undefined;
}

/**
 * Runs commands and copies files with `docker exec`.
 *
 * - Files are read and written as root, as `docker cp` does, and uploads then
 *   belong to the owner.
 * - A relative path starts at the container's root directory, and a directory
 *   whose destination does not exist becomes the destination, as in `docker cp`.
 * - An aborted command is ended with all processes that it has started.
 */
export class DockerCommunicator implements Communicator {
  readonly #shell: ContainerShell;
  readonly #files: ContainerShell;
  readonly #owner: string | undefined;

  /**
   * Starts nothing yet.
   *
   * @param options The container, and the users.
   */
  constructor({ owner, ...options }: DockerCommunicatorOptions) {
    this.#shell = new ContainerShell(options);
    const { docker, container } = options;
    this.#files = new ContainerShell({ docker, container, user: "0" });
    this.#owner = owner;
  }

  /** Starts a command in the container. */
  start(command: RemoteCommand): RunningCommand {
    return this.#shell.start(command);
  }

  /** Writes a file. */
  async upload(upload: Upload): Promise<void> {
    const path = absolute(upload.path);
    await this.#files.upload({ ...upload, path });
    await this.#own([path], upload.signal);
  }

  /** Copies a directory into the container. */
  async uploadDir(transfer: DirectoryTransfer): Promise<void> {
    const { signal } = transfer;
    const destination = absolute(transfer.destination);
    const becomes = !transfer.source.endsWith("/") &&
      await this.#status(`[ -d ${shellQuote(destination)} ]`, signal) !== 0;
    const source = becomes ? `${transfer.source}/` : transfer.source;
    await this.#files.uploadDir({ ...transfer, source, destination });
    if (becomes) return await this.#own([destination], signal);
    const names = source.endsWith("/")
      ? (await Array.fromAsync(Deno.readDir(source))).map(({ name }) => name)
      : [posix.basename(source)];
    await this.#own(
      names.map((name) => posix.join(destination, name)),
      signal,
    );
  }

  /** Reads a file. */
  download(download: Download): Promise<void> {
    return this.#files.download({ ...download, path: absolute(download.path) });
  }

  /** Copies a directory out of the container. */
  downloadDir(transfer: DirectoryTransfer): Promise<void> {
    const source = absolute(transfer.source);
    return this.#files.downloadDir({ ...transfer, source });
  }

  /** Gives what is at the paths to the owner; what was not copied is not there. */
  async #own(
    paths: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const owner = this.#owner;
    if (!owner || owner === "root" || owner === "0" || paths.length === 0) {
      return;
    }
    const status = await this.#status(
      `for path in ${paths.map(shellQuote).join(" ")}; do ` +
        `[ -e "$path" ] || continue; ` +
        `chown -R ${shellQuote(owner)} "$path" || exit 1; done`,
      signal,
    );
    if (status !== 0) {
      throw new Error(
        `cannot give ${paths.join(", ")} to the user ${owner}: chown exited ` +
          `with ${status}; fix_upload_owner false leaves it to root`,
      );
    }
  }

  async #status(
    command: string,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const running = this.#files.start({
      command,
      ...(signal ? { signal } : {}),
    });
    return await running.wait();
  }
}

/** A path as `docker cp` reads it; `~/` stays for the shell. */
function absolute(path: string): string {
  return path.startsWith("/") || /^~(\/|$)/.test(path)
    ? path
    : `/${path.replace(/^(\.\/)+/, "")}`;
}
