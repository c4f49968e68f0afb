// The docker builder: runs a container of an image, provisions it, and commits,
// exports or discards it.

import { dirname, resolve } from "@std/path";
import {
  provisionStep,
  runSteps,
  SshCommunicator,
  sshProblems,
  type Step,
} from "../../builder/mod.ts";
import { TemporaryDirectory } from "../../process/temporary_directory.ts";
import { guardCommand, unguardCommand } from "../../process/cleanup_guard.ts";
import { removeOutput } from "../../files/files_artifact.ts";
import { OutputFile } from "../../bundled/shared/output_file.ts";
import { runUuid } from "../../bundled/shared/run_uuid.ts";
import type { Artifact } from "../../contract/artifact.ts";
import type { BuildContext } from "../../contract/build_context.ts";
import type {
  Builder,
  BuilderRunOptions,
  PrepareOptions,
  PrepareResult,
} from "../../contract/builder.ts";
import type { Communicator } from "../../contract/communicator.ts";
import { ConfigError } from "../../contract/config_error.ts";
import { render } from "../../sdk/render.ts";
import { Container } from "./container.ts";
import {
  exportArtifact,
  imageArtifact,
  IMPORT_BUILDER_ID,
} from "./docker_artifact.ts";
import { type BuildConfig, checkConfig } from "./docker_config.ts";
import { DockerCommunicator } from "./docker_communicator.ts";
import { type DockerConfig, dockerOptions } from "./docker_options.ts";
import { type Docker, dockerOf, type ImageInfo } from "./docker_program.ts";
import { withLogin } from "./registry_login.ts";

/** Names of what provisioners and post-processors can read. */
const GENERATED = [
  "ImageSha256",
  "SourceImageDigest",
  "SourceImageSha256",
  "ID",
  "Host",
  "Port",
  "User",
  "ConnType",
  "PackerRunUUID",
  "PackerHTTPAddr",
  "PackerHTTPIP",
  "PackerHTTPPort",
];

/** What the steps of a run make. */
interface State {
  directory?: TemporaryDirectory;
  image: string;
  source?: ImageInfo;
  container?: Container;
  communicator?: Communicator & Partial<AsyncDisposable>;
  /** The image, once it is there; until `isComplete` it is removed again. */
  committed?: { id: string; guard: readonly string[] };
  isComplete: boolean;
  data: Record<string, unknown>;
}

/** Builds a container image, or the file system of a container. */
export class DockerBuilder implements Builder<DockerConfig> {
  /** The configuration that it takes. */
  readonly options: typeof dockerOptions = dockerOptions;
  #config!: DockerConfig;
  #build!: BuildContext;
  #dockerfile: BuildConfig | undefined;
  #docker!: Docker;

  /** Checks the configuration; runs nothing. */
  async prepare(
    { config, build }: PrepareOptions<DockerConfig>,
  ): Promise<PrepareResult> {
    const { problems, warnings, dockerfile } = await checkConfig(config, build);
    if (config.communicator === "ssh") {
      problems.push(...await sshProblems(config));
    }
    if (problems.length > 0) throw new ConfigError(problems);
    this.#config = config;
    this.#build = build;
    this.#dockerfile = dockerfile;
    this.#docker = dockerOf(config, build);
    return { generatedData: GENERATED, warnings };
  }

  /** Starts, provisions, and keeps what the configuration says. */
  async run({ ui, hook, signal }: BuilderRunOptions): Promise<Artifact> {
    const { commit, export_path } = this.#config;
    const state: State = {
      image: this.#config.image ?? "",
      isComplete: false,
      data: {
        ImageSha256: "ERR_IMAGE_SHA256_NOT_FOUND",
        SourceImageDigest: "ERR_SOURCE_IMAGE_DIGEST_NOT_FOUND",
        SourceImageSha256: "ERR_SOURCE_IMAGE_SHA256_NOT_FOUND",
      },
    };
    await runSteps<State>(
      [
        this.#temporaryDirectory(),
        ...(this.#dockerfile ? [this.#buildImage(this.#dockerfile)] : []),
        this.#pull(),
        this.#start(),
        ...(this.#config.communicator === "none" ? [] : [this.#connect()]),
        provisionStep<State>({
          hook,
          communicator: ({ communicator }) => communicator,
          data: (state) => state.data,
        }),
        ...(commit ? [this.#commit()] : []),
        ...(export_path ? [this.#export()] : []),
      ],
      state,
      { ui, signal, build: this.#build },
    );
    return this.#artifact(state);
  }

  #temporaryDirectory(): Step<State> {
    return {
      name: "StepTempDir",
      run: async (state, { ui }) => {
        await ui.say("Creating a temporary directory for sharing data...");
        state.directory = await TemporaryDirectory.create({
          prefix: "baler-docker-",
        });
      },
      cleanup: async ({ directory }) =>
        await directory?.[Symbol.asyncDispose](),
    };
  }

  #buildImage(dockerfile: BuildConfig): Step<State> {
    const config = this.#config;
    let isOurs = false;
    return {
      name: "StepBuild",
      run: async (state, { ui, signal }) => {
        await ui.say("Building base image...");
        const idFile = `${state.directory!.path}/image-id`;
        const args = [
          "build",
          "--iidfile",
          idFile,
          "-f",
          resolve(this.#build.workingDirectory, dockerfile.path),
          ...(config.platform ? ["--platform", config.platform] : []),
          ...(dockerfile.pull ? ["--pull"] : []),
          ...(dockerfile.compress ? ["--compress"] : []),
          ...Object.entries(dockerfile.arguments ?? {}).flatMap((
            [name, value],
          ) => ["--build-arg", `${name}=${value}`]),
          dockerfile.build_dir,
        ];
        await withLogin(
          { docker: this.#docker, config, ui, signal },
          (docker) => docker.show(args, ui, { signal }),
        );
        state.image = (await Deno.readTextFile(idFile)).trim();
        isOurs = config.discard;
        await ui.say(`Finished building base image "${state.image}"`);
      },
      // The layers of an image that is kept are in the result, or in the cache.
      cleanup: async ({ image }, ui) => {
        if (!isOurs) return;
        await this.#docker.run(["rmi", image]).catch((error) =>
          ui.say(`The base image stays: ${error.message}`)
        );
      },
    };
  }

  #pull(): Step<State> {
    const { pull, platform } = this.#config;
    return {
      name: "StepPull",
      run: async (state, { ui, signal }) => {
        if (!this.#dockerfile && pull !== false) {
          await ui.say(`Pulling Docker image: ${state.image}`);
          await withLogin(
            { docker: this.#docker, config: this.#config, ui, signal },
            (docker) =>
              docker.show(
                [
                  "pull",
                  state.image,
                  ...(platform ? ["--platform", platform] : []),
                ],
                ui,
                { signal },
              ),
          ).catch((error) => {
            signal.throwIfAborted();
            throw new Error(`Error pulling Docker image: ${error.message}`);
          });
        }
        // An image that is not there yet is pulled by `docker run`.
        await this.#readSource(state, signal).catch(() =>
          signal.throwIfAborted()
        );
      },
    };
  }

  async #readSource(state: State, signal: AbortSignal): Promise<void> {
    const source = await this.#docker.image(state.image, signal);
    state.source = source;
    state.data.SourceImageSha256 = source.id;
    state.data.SourceImageDigest = this.#dockerfile ? "" : source.digest ?? "";
  }

  #start(): Step<State> {
    const config = this.#config;
    return {
      name: "StepRun",
      run: async (state, { ui, signal }) => {
        const fields = { Image: state.image };
        const runCommand = await Promise.all(
          config.run_command.map((word) =>
            render(word, this.#build, { fields })
          ),
        );
        await ui.say("Starting docker container...");
        state.container = new Container({
          docker: this.#docker,
          config,
          directory: state.directory!.path,
          runCommand,
        });
        await state.container.start(ui, signal).catch((error) => {
          signal.throwIfAborted();
          throw new Error(`Error running container: ${error.message}`);
        });
        if (!state.source) await this.#readSource(state, signal);
        Object.assign(state.data, await this.#connectionData(state));
      },
      cleanup: async ({ container }, ui) => {
        if (container?.id) {
          await ui.say(`Killing the container: ${container.id}`);
        }
        await container?.[Symbol.asyncDispose]();
      },
    };
  }

  #connect(): Step<State> {
    const config = this.#config;
    const docker = this.#docker;
    return {
      name: "StepConnect",
      run: async (state, { ui, signal }) => {
        const { name, user } = state.container!;
        if (config.communicator === "ssh") {
          const host = config.ssh_host || await docker.container(
            name,
            "{{ .NetworkSettings.IPAddress }}",
            signal,
          );
          state.data.Host = host;
          const { ssh_port: port, ssh_username } = config;
          await ui.say(
            `Waiting for SSH to become available at ${host}:${port}...`,
          );
          const target = { host, port, username: ssh_username! };
          const communicator = new SshCommunicator({ target, config });
          state.communicator = communicator;
          await communicator.connect(signal);
          await ui.say("Connected to SSH!");
        } else {
          await ui.say("Using docker communicator to connect");
          state.communicator = new DockerCommunicator({
            docker,
            container: name,
            user: config.exec_user,
            pty: config.pty,
            owner: config.fix_upload_owner ? user : undefined,
          });
        }
      },
      cleanup: async ({ communicator }) =>
        await communicator?.[Symbol.asyncDispose]?.(),
    };
  }

  async #connectionData(state: State): Promise<Record<string, unknown>> {
    const { communicator, ssh_port, ssh_username } = this.#config;
    const isSsh = communicator === "ssh";
    const missing = (name: string) =>
      `ERR_HTTP_${name}_NOT_IMPLEMENTED_BY_BUILDER`;
    return {
      ID: state.container!.id,
      Host: "",
      Port: isSsh ? ssh_port : 0,
      User: isSsh ? ssh_username ?? "" : "",
      ConnType: communicator,
      PackerRunUUID: await runUuid(),
      PackerHTTPIP: missing("IP"),
      PackerHTTPPort: missing("PORT"),
      PackerHTTPAddr: missing("ADDR"),
    };
  }

  #commit(): Step<State> {
    const { author, changes, message } = this.#config;
    const docker = this.#docker;
    return {
      name: "StepCommit",
      run: async (state, { ui, signal }) => {
        await ui.say("Committing the container");
        // Without the signal: the daemon continues when its client is killed, and
        // the ID of the image to remove would be lost.
        const id = await docker.run([
          "commit",
          ...(author ? ["--author", author] : []),
          ...[...changes, ...imageDefaults(changes, state.source!)].flatMap(
            (change) => ["--change", change],
          ),
          ...(message ? ["--message", message] : []),
          state.container!.name,
        ]);
        const guard = [docker.program, "rmi", id];
        state.committed = { id, guard };
        await guardCommand(guard);
        signal.throwIfAborted();
        state.data.ImageSha256 = (await docker.image(id, signal)).id;
        await ui.message(`Image ID: ${id}`);
        signal.throwIfAborted();
        state.isComplete = true;
      },
      cleanup: async ({ committed, isComplete }) => {
        if (!committed) return;
        if (!isComplete) await docker.run(["rmi", committed.id]);
        await unguardCommand(committed.guard);
      },
    };
  }

  #export(): Step<State> {
    const path = this.#exportPath();
    return {
      name: "StepExport",
      run: async (state, { ui, signal }) => {
        await ui.say("Exporting the container");
        await Deno.mkdir(dirname(path), { recursive: true });
        await using file = await OutputFile.open(path);
        await this.#docker.run(["export", state.container!.name], {
          signal,
          stdout: file.writable,
        });
        signal.throwIfAborted();
        await file.commit();
      },
    };
  }

  #exportPath(): string {
    return resolve(this.#build.workingDirectory, this.#config.export_path);
  }

  #artifact({ committed, data }: State): Artifact {
    if (committed) {
      return imageArtifact({
        builderId: IMPORT_BUILDER_ID,
        id: committed.id,
        docker: this.#docker,
        data,
      });
    }
    const path = this.#config.export_path;
    const remove = async () => {
      if (path !== "") await removeOutput(this.#exportPath());
    };
    return exportArtifact(path, remove, data);
  }
}

/** The image's own command and entrypoint, which `docker run` has replaced. */
function imageDefaults(
  changes: readonly string[],
  { cmd, entrypoint }: ImageInfo,
): string[] {
  const has = (instruction: RegExp) =>
    changes.some((change) => instruction.test(change));
  // `[]` would change nothing: a list of an empty string is none.
  const json = (words: readonly string[] | undefined) =>
    JSON.stringify(words?.length ? words : [""]);
  return [
    ...(has(/^\s*CMD\b/i) ? [] : [`CMD ${json(cmd)}`]),
    ...(has(/^\s*ENTRYPOINT\b/i) ? [] : [`ENTRYPOINT ${json(entrypoint)}`]),
  ];
}
