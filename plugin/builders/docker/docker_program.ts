// The docker program, or podman in its place: runs its commands, with what it
// wrote in the error of one that fails.

import { resolve } from "@std/path";
import { runProgram } from "../../builder/run_program.ts";
import { outputLines } from "../../bundled/shell/output_lines.ts";
import type { BuildContext } from "../../contract/build_context.ts";
import type { Ui } from "../../contract/ui.ts";

/** What `docker image inspect` tells of an image. */
export interface ImageInfo {
  /** The id: `sha256:` and a checksum; podman writes the checksum alone. */
  id: string;
  /** `REPOSITORY@sha256:...` in the registry that it was pulled from or pushed to. */
  digest: string | undefined;
  /** Its command. */
  cmd: readonly string[] | undefined;
  /** Its entrypoint. */
  entrypoint: readonly string[] | undefined;
}

/** How a command of the program runs. */
export interface DockerRunOptions {
  /** Ends the program when aborted. */
  signal?: AbortSignal | undefined;
  /** What it reads; nothing unless given. */
  stdin?: string | ReadableStream<Uint8Array>;
  /** Receives its stdout, which is not returned then. */
  stdout?: WritableStream<Uint8Array>;
}

/** The docker program. */
export class Docker {
  /** Its name or path. */
  readonly program: string;
  readonly #cwd: string;
  readonly #env: Readonly<Record<string, string>>;

  /**
   * Runs nothing yet.
   *
   * @param program Its name or path.
   * @param cwd The directory in which it runs.
   * @param env Variables for it, in addition to this process's own.
   */
  constructor(
    program: string,
    cwd: string,
    env: Readonly<Record<string, string>> = {},
  ) {
    this.program = program;
    this.#cwd = cwd;
    this.#env = env;
  }

  /**
   * The same program with more variables.
   *
   * @param env The variables.
   */
  with(env: Readonly<Record<string, string>>): Docker {
    return new Docker(this.program, this.#cwd, { ...this.#env, ...env });
  }

  /** What its processes are started with. */
  get launch(): { cwd: string; env: Readonly<Record<string, string>> } {
    return { cwd: this.#cwd, env: this.#env };
  }

  /**
   * Runs a command.
   *
   * @param args Its arguments.
   * @param options Its streams.
   * @returns What it wrote to stdout, without the white space around it.
   * @throws {Error} When it fails, with what it wrote to stderr.
   */
  async run(
    args: readonly string[],
    options: DockerRunOptions = {},
  ): Promise<string> {
    const { signal, ...streams } = options;
    try {
      const output = await runProgram([this.program, ...args], {
        ...this.launch,
        ...(signal ? { signal } : {}),
        ...streams,
      });
      return output.trim();
    } catch (error) {
      throw withCommand(error, this.program, args);
    }
  }

  /**
   * Runs a command, and shows what it writes.
   *
   * @param args Its arguments.
   * @param ui Where it is shown.
   * @param options Its stdin and the signal.
   * @throws {Error} When it fails.
   */
  async show(
    args: readonly string[],
    ui: Ui,
    { signal, stdin }: Omit<DockerRunOptions, "stdout"> = {},
  ): Promise<void> {
    const lines = () =>
      outputLines((line) => line === "" ? undefined : ui.message(line));
    try {
      await runProgram([this.program, ...args], {
        ...this.launch,
        ...(signal ? { signal } : {}),
        ...(stdin === undefined ? {} : { stdin }),
        stdout: lines(),
        stderr: lines(),
      });
    } catch (error) {
      throw withCommand(error, this.program, args);
    }
  }

  /**
   * Reads what an image is.
   *
   * @param image Its name or id.
   * @param signal Stops when aborted.
   * @throws {Error} When there is no such image.
   */
  async image(image: string, signal?: AbortSignal): Promise<ImageInfo> {
    const text = await this.run(["image", "inspect", image], { signal });
    const [info] = JSON.parse(text) as [{
      Id?: string;
      RepoDigests?: string[];
      Config?: { Cmd?: string[]; Entrypoint?: string[] };
    }];
    return {
      id: info?.Id ?? "",
      digest: info?.RepoDigests?.[0],
      cmd: info?.Config?.Cmd ?? undefined,
      entrypoint: info?.Config?.Entrypoint ?? undefined,
    };
  }

  /**
   * Reads a property of a container.
   *
   * @param container Its name or id.
   * @param format The property as a Go template.
   * @param signal Stops when aborted.
   * @throws {Error} When there is no such container.
   */
  container(
    container: string,
    format: string,
    signal?: AbortSignal,
  ): Promise<string> {
    return this.run(
      ["container", "inspect", "--format", format, container],
      { signal },
    );
  }

  /**
   * Ends a container and removes it with its anonymous volumes. One that is
   * gone already is no error.
   *
   * @param container Its name.
   * @throws {Error} When it is still there.
   */
  async removeContainer(container: string): Promise<void> {
    // First: `rm -f` of podman waits until the container has ended by itself.
    await this.run(["kill", container]).catch(() => {});
    try {
      await this.run(["rm", "-f", "-v", container]);
    } catch (error) {
      // With --rm it goes away by itself.
      const isThere = await this.container(container, "{{.Id}}")
        .then(() => true, () => false);
      if (isThere) throw error;
    }
  }
}

/**
 * The program that a configuration names.
 *
 * @param config The configuration.
 * @param build The build, whose directory relative paths start from.
 */
export function dockerOf(
  { docker_path }: { docker_path: string },
  { workingDirectory }: BuildContext,
): Docker {
  const program = docker_path.includes("/")
    ? resolve(workingDirectory, docker_path)
    : docker_path;
  return new Docker(program, workingDirectory);
}

/** The error of a program, with its command in the message. */
function withCommand(
  error: unknown,
  program: string,
  [command]: readonly string[],
): unknown {
  if (!(error instanceof Error) || error.name !== "Error") return error;
  if (error.cause instanceof Deno.errors.NotFound) {
    return new Error(
      `${error.message}; install docker or podman, or set docker_path`,
    );
  }
  const start = `${program} exited`;
  if (!error.message.startsWith(start)) return error;
  return new Error(
    `${program} ${command} exited${error.message.slice(start.length)}`,
  );
}
