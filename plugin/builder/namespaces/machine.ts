// A machine in namespaces: a directory tree in which commands run as root, with
// their own processes, mounts, name and, where wanted, network. When its first
// process ends, the kernel ends all others, and takes all mounts away.

import { LocalProcess } from "../../process/local_process.ts";
import type { RemoteCommand } from "../../contract/communicator.ts";
import { CommandCommunicator } from "../communicators/command_communicator.ts";
import {
  insideCommand,
  type MachineReady,
  taskLine,
} from "./inside_command.ts";
import type { MachineMounts } from "./mounts.ts";
import { reapOrphans } from "./orphans.ts";
import { Lines, type UserNamespace } from "./user_namespace.ts";

/** How a {@linkcode NamespaceMachine} is started. */
export interface NamespaceMachineOptions {
  /** The user namespace that it is in. */
  namespace: UserNamespace;
  /** Its root and what is mounted in it. */
  mounts: MachineMounts;
  /** True for a network without any other machine; otherwise it has this machine's. */
  hasOwnNetwork: boolean;
  /** The environment of its commands: all of it. */
  environment: Readonly<Record<string, string>>;
  /** The shell that runs its commands; `/bin/sh` unless given. */
  shell?: string;
  /** Ends it when aborted. */
  signal: AbortSignal;
}

/** A machine that runs; provisioners reach it as any other. */
export class NamespaceMachine extends CommandCommunicator
  implements AsyncDisposable {
  /** What was made in the tree to mount something at; see the task `pack`. */
  readonly made: readonly string[];
  readonly #process: LocalProcess;
  readonly #end: () => void;
  readonly #pid: number;
  readonly #options: NamespaceMachineOptions;
  readonly #orphans: Disposable;

  private constructor(
    options: NamespaceMachineOptions,
    process: LocalProcess,
    end: () => void,
    orphans: Disposable,
    { pid, made }: MachineReady,
  ) {
    super();
    this.#orphans = orphans;
    this.#options = options;
    this.#process = process;
    this.#end = end;
    this.#pid = pid;
    this.made = made;
  }

  /**
   * Starts a machine, and returns when commands can run in it.
   *
   * @param options What it is made of.
   * @throws {Error} When it cannot be started.
   */
  static async start(
    options: NamespaceMachineOptions,
  ): Promise<NamespaceMachine> {
    const { namespace, mounts, hasOwnNetwork, signal } = options;
    let end!: () => void;
    const stdin = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(
          taskLine({ task: "machine", mounts, hasOwnNetwork }),
        );
        end = () => {
          try {
            controller.close();
          } catch { /* It is closed, or has no reader. */ }
        };
      },
    });
    const stdout = new TransformStream<Uint8Array, Uint8Array>();
    const stderr = new TransformStream<Uint8Array, Uint8Array>();
    const orphans = reapOrphans();
    const process = new LocalProcess({
      argv: namespace.inside([
        ...["unshare", "--mount", "--pid", "--ipc", "--uts"],
        ...hasOwnNetwork ? ["--net"] : [],
        ...["--fork", "--kill-child", "--"],
        ...await insideCommand(),
      ]),
      cwd: "/",
      stdin,
      stdout: stdout.writable,
      stderr: stderr.writable,
    });
    const errors = new Response(stderr.readable).text();
    try {
      const lines = new Lines(stdout.readable);
      const line = await lines.next();
      if (line === undefined) {
        throw new Error(`cannot start the machine: ${(await errors).trim()}`);
      }
      errors.catch(() => {});
      signal.throwIfAborted();
      const ready = JSON.parse(line) as MachineReady;
      return new NamespaceMachine(options, process, end, orphans, ready);
    } catch (error) {
      end();
      await process[Symbol.asyncDispose]();
      orphans[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Starts a command as the machine's root.
   *
   * @param command The command line, for the machine's shell, and its streams.
   * @throws {Error} When it cannot be started.
   */
  start({ command, ...streams }: RemoteCommand): LocalProcess {
    const { namespace, hasOwnNetwork, environment, shell = "/bin/sh" } =
      this.#options;
    return new LocalProcess({
      argv: [
        ...namespace.enter(this.#pid, [
          ...["--mount", "--pid", "--ipc", "--uts"],
          ...hasOwnNetwork ? ["--net"] : [],
        ]),
        ...[shell, "-c", command],
      ],
      env: environment,
      clearEnv: true,
      cwd: "/",
      ...streams,
    });
  }

  /** Ends it with all its processes; returns when they are gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await this.#process.wait().catch(() => {});
    await this.#process[Symbol.asyncDispose]();
    this.#orphans[Symbol.dispose]();
  }
}
