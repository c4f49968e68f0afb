// The post-processor docker-tag gives an image names.

import {
  dataOf,
  imageArtifact,
  requireImage,
  TAG_BUILDER_ID,
} from "../../builders/docker/docker_artifact.ts";
import { programOption } from "../../builders/docker/docker_options.ts";
import { type Docker, dockerOf } from "../../builders/docker/docker_program.ts";
import type { PrepareOptions, PrepareResult } from "../../contract/builder.ts";
import type { ConfigOf, Options } from "../../contract/options.ts";
import type {
  PostProcessOptions,
  PostProcessor,
  PostProcessResult,
} from "../../contract/post_processor.ts";
import { serve } from "../../sdk/serve.ts";

/** The options of docker-tag. */
export const dockerTagOptions = {
  repository: {
    type: "string",
    required: true,
    description: "The repository of the names, such as `registry.example/app`.",
  },
  tags: {
    type: "strings",
    default: [] as string[],
    description: "The tags; `latest` unless given.",
  },
  tag: {
    type: "strings",
    default: [] as string[],
    description: "The former name of `tags`.",
  },
  force: {
    type: "boolean",
    default: false,
    description: "Does nothing: a tag moves to the image in any case.",
  },
  ...programOption,
} as const satisfies Options;

type Config = ConfigOf<typeof dockerTagOptions>;

/** Gives an image names. */
export class DockerTagPostProcessor implements PostProcessor<Config> {
  /** Its options. */
  readonly options: typeof dockerTagOptions = dockerTagOptions;
  #docker!: Docker;
  #names: string[] = [];

  /** Joins the names. */
  configure({ config, build }: PrepareOptions<Config>): PrepareResult {
    const { repository, tags, tag } = config;
    this.#docker = dockerOf(config, build);
    // As in Packer, a string may have several tags.
    const all = [...tags, ...tag].flatMap((one) => one.split(","));
    this.#names = all.length === 0
      ? [repository]
      : all.map((one) => `${repository}:${one.trim()}`);
    return {
      warnings: tag.length === 0 ? [] : [
        '"tag" is the former name of "tags"; "baler fix" renames it',
      ],
    };
  }

  /** Tags the image. */
  async postProcess(
    { ui, artifact, signal }: PostProcessOptions,
  ): Promise<PostProcessResult> {
    const { id } = artifact;
    requireImage(artifact, "Can only tag from Docker builder artifacts.");
    for (const name of this.#names) {
      await ui.message(`Tagging image: ${id}`);
      await ui.message(`Repository: ${name}`);
      await this.#docker.run(["tag", id, name], { signal });
    }
    const [last] = this.#names.slice(-1);
    return {
      artifact: imageArtifact({
        builderId: TAG_BUILDER_ID,
        id: last!,
        docker: this.#docker,
        tags: this.#names.filter((name) =>
          name.includes(":", name.lastIndexOf("/") + 1)
        ),
        data: await dataOf(artifact),
      }),
      // To delete the image would delete what was tagged.
      keep: true,
      mustKeep: true,
    };
  }
}

if (import.meta.main) {
  serve({ "post-processor": { "docker-tag": DockerTagPostProcessor } });
}
