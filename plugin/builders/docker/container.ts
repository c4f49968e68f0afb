// The container of a build: it is removed when it is no longer used, also if
// this process is killed.

import { homedir } from "node:os";
import { guardCommand, unguardCommand } from "../../process/cleanup_guard.ts";
import type { Ui } from "../../contract/ui.ts";
import type { DockerConfig } from "./docker_options.ts";
import type { Docker } from "./docker_program.ts";

/** What a container is made from. */
export interface ContainerOptions {
  /** The program. */
  docker: Docker;
  /** The configuration. */
  config: DockerConfig;
  /** The directory of this machine that is at `container_dir`. */
  directory: string;
  /** The rendered `run_command`. */
  runCommand: readonly string[];
}

/** A container that runs. */
export class Container implements AsyncDisposable {
  /** Its name: known before it is made, so that it can always be removed. */
  readonly name: string;
  readonly #isNamed: boolean;
  /** Its id. */
  id = "";
  /** The user that its processes run as; empty for root. */
  user = "";
  readonly #docker: Docker;
  readonly #args: readonly string[];
  #guard: readonly string[] | undefined;

  /**
   * Makes nothing yet.
   *
   * @param options The configuration.
   */
  constructor({ docker, config, directory, runCommand }: ContainerOptions) {
    this.#docker = docker;
    const named = nameIn(runCommand);
    this.#isNamed = named !== undefined;
    this.name = named ?? `baler-${crypto.randomUUID()}`;
    this.#args = [
      "run",
      ...(named === undefined ? ["--name", this.name] : []),
      ...repeated("--device", config.device),
      ...repeated("--cap-add", config.cap_add),
      ...repeated("--cap-drop", config.cap_drop),
      ...(config.privileged ? ["--privileged"] : []),
      ...repeated("--runtime", config.runtime ? [config.runtime] : []),
      ...repeated("--platform", config.platform ? [config.platform] : []),
      ...repeated("--tmpfs", config.tmpfs),
      ...repeated("-v", [
        ...Object.entries(config.volumes).map(([host, path]) =>
          `${host.startsWith("~/") ? homedir() + host.slice(1) : host}:${path}`
        ),
        `${directory}:${config.container_dir}`,
      ]),
      ...runCommand,
    ];
  }

  /**
   * Starts it.
   *
   * @param ui Where the command is shown.
   * @param signal Stops when aborted.
   * @throws {Error} When it cannot be started, with what the program wrote.
   */
  async start(ui: Ui, signal: AbortSignal): Promise<void> {
    const { program } = this.#docker;
    // Another's container is neither used nor removed.
    if (this.#isNamed && await this.#isThere(signal)) {
      throw new Error(
        `there is a container ${this.name} already, which run_command names`,
      );
    }
    await ui.message(`Run command: ${program} ${this.#args.join(" ")}`);
    const guard = ["/bin/sh", "-c", REMOVE, program, this.name];
    await guardCommand(guard);
    this.#guard = guard;
    this.id = await this.#docker.run(this.#args, { signal });
    await ui.message(`Container ID: ${this.id}`);
    const [isRunning, user] = (await this.#docker.container(
      this.name,
      "{{.State.Running}} {{.Config.User}}",
      signal,
    )).split(" ");
    if (isRunning !== "true") {
      throw new Error(
        "the container has ended already; run_command must run it in the background (-d), with a command that goes on",
      );
    }
    this.user = user ?? "";
  }

  async #isThere(signal: AbortSignal): Promise<boolean> {
    const isThere = await this.#docker.container(this.name, "{{.Id}}", signal)
      .then(() => true, () => false);
    signal.throwIfAborted();
    return isThere;
  }

  /** Removes it, if it was started. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#guard === undefined) return;
    await this.#docker.removeContainer(this.name);
    await unguardCommand(this.#guard);
    this.#guard = undefined;
  }
}

// Twice: the daemon may still be making it when its client has ended.
const REMOVE = `for i in 1 2; do
  "$0" kill "$1"
  "$0" rm -f -v "$1"
  [ $i = 2 ] || sleep 0.5
done`;

/** The name that the arguments of `docker run` give. */
function nameIn(runCommand: readonly string[]): string | undefined {
  for (const [index, word] of runCommand.entries()) {
    if (word === "--") return undefined;
    if (word === "--name") return runCommand[index + 1];
    if (word.startsWith("--name=")) return word.slice("--name=".length);
  }
  return undefined;
}

function repeated(flag: string, values: readonly string[]): string[] {
  return values.flatMap((value) => [flag, value]);
}
