// The post-processor docker-import makes an image of a tar file.

import { resolve } from "@std/path";
import {
  ARTIFICE_BUILDER_ID,
  EXPORT_BUILDER_ID,
  imageArtifact,
  IMPORT_BUILDER_ID,
} from "../../builders/docker/docker_artifact.ts";
import { programOption } from "../../builders/docker/docker_options.ts";
import { type Docker, dockerOf } from "../../builders/docker/docker_program.ts";
import type { BuildContext } from "../../contract/build_context.ts";
import type { PrepareOptions } from "../../contract/builder.ts";
import type { ConfigOf, Options } from "../../contract/options.ts";
import type {
  PostProcessOptions,
  PostProcessor,
  PostProcessResult,
} from "../../contract/post_processor.ts";
import { serve } from "../../sdk/serve.ts";

/** The options of docker-import. */
export const dockerImportOptions = {
  repository: {
    type: "string",
    required: true,
    description: "The repository of the image's name.",
  },
  tag: {
    type: "string",
    default: "",
    description: "The tag of the image's name; `latest` unless given.",
  },
  changes: {
    type: "strings",
    default: [] as string[],
    description: "Dockerfile instructions for the image, such as `EXPOSE 80`.",
  },
  platform: {
    type: "string",
    description: "The platform of the image, such as `linux/arm64`.",
  },
  ...programOption,
} as const satisfies Options;

type Config = ConfigOf<typeof dockerImportOptions>;

/** Makes an image of a tar file. */
export class DockerImportPostProcessor implements PostProcessor<Config> {
  /** Its options. */
  readonly options: typeof dockerImportOptions = dockerImportOptions;
  #config!: Config;
  #build!: BuildContext;
  #docker!: Docker;

  /** Takes the configuration. */
  configure({ config, build }: PrepareOptions<Config>): void {
    this.#config = config;
    this.#build = build;
    this.#docker = dockerOf(config, build);
  }

  /** Imports the first file. */
  async postProcess(
    { ui, artifact, signal }: PostProcessOptions,
  ): Promise<PostProcessResult> {
    const { builderId } = artifact;
    if (
      builderId !== EXPORT_BUILDER_ID && builderId !== ARTIFICE_BUILDER_ID
    ) {
      throw new Error(
        `Unknown artifact type: ${builderId}\n` +
          "Can only import from Docker builder and Artifice post-processor artifacts. " +
          "After the docker builder it may be because of commit: true, where the image is imported already.",
      );
    }
    const [path] = artifact.files;
    if (!path) {
      throw new Error(
        "there is no file to import; the docker builder writes one with export_path",
      );
    }
    const { repository, tag, changes, platform } = this.#config;
    const name = tag === "" ? repository : `${repository}:${tag}`;
    await ui.message(`Importing image: ${artifact.id}`);
    await ui.message(`Repository: ${name}`);
    const file = await Deno.open(resolve(this.#build.workingDirectory, path));
    const id = await this.#docker.run([
      "import",
      ...changes.flatMap((change) => ["--change", change]),
      ...(platform ? ["--platform", platform] : []),
      "-",
      name,
    ], { signal, stdin: file.readable });
    await ui.message(`Imported ID: ${id}`);
    return {
      artifact: imageArtifact({
        builderId: IMPORT_BUILDER_ID,
        id: name,
        docker: this.#docker,
      }),
    };
  }
}

if (import.meta.main) {
  serve({ "post-processor": { "docker-import": DockerImportPostProcessor } });
}
