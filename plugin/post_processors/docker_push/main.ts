// The post-processor docker-push pushes an image to its registry.

import {
  dataOf,
  imageArtifact,
  IMPORT_BUILDER_ID,
  requireImage,
  tagsOf,
} from "../../builders/docker/docker_artifact.ts";
import {
  loginOptions,
  programOption,
} from "../../builders/docker/docker_options.ts";
import { type Docker, dockerOf } from "../../builders/docker/docker_program.ts";
import {
  loginProblems,
  withLogin,
} from "../../builders/docker/registry_login.ts";
import type { PrepareOptions } from "../../contract/builder.ts";
import { ConfigError } from "../../contract/config_error.ts";
import type { ConfigOf, Options } from "../../contract/options.ts";
import type {
  PostProcessOptions,
  PostProcessor,
  PostProcessResult,
} from "../../contract/post_processor.ts";
import { serve } from "../../sdk/serve.ts";

/** The options of docker-push. */
export const dockerPushOptions = {
  platform: {
    type: "string",
    description: "The platform of the image to push, such as `linux/arm64`.",
  },
  ...loginOptions,
  ...programOption,
} as const satisfies Options;

type Config = ConfigOf<typeof dockerPushOptions>;

/** Pushes an image to its registry. */
export class DockerPushPostProcessor implements PostProcessor<Config> {
  /** Its options. */
  readonly options: typeof dockerPushOptions = dockerPushOptions;
  #config!: Config;
  #docker!: Docker;

  /** Checks the login. */
  configure({ config, build }: PrepareOptions<Config>): void {
    const problems = loginProblems(config);
    if (problems.length > 0) throw new ConfigError(problems);
    this.#config = config;
    this.#docker = dockerOf(config, build);
  }

  /** Pushes the image under each of its names. */
  async postProcess(
    { ui, artifact, signal }: PostProcessOptions,
  ): Promise<PostProcessResult> {
    const { id } = artifact;
    requireImage(
      artifact,
      "Can only import from docker-import and docker-tag artifacts.",
    );
    const config = this.#config;
    const { platform } = config;
    const tags = await tagsOf(artifact);
    await withLogin(
      { docker: this.#docker, config, ui, signal },
      async (docker) => {
        for (const name of new Set([id, ...tags])) {
          await ui.message(`Pushing: ${name}`);
          await docker.show(
            ["push", name, ...(platform ? ["--platform", platform] : [])],
            ui,
            { signal },
          );
        }
      },
    );
    const { digest = "" } = await this.#docker.image(id, signal);
    return {
      artifact: imageArtifact({
        builderId: IMPORT_BUILDER_ID,
        id,
        docker: this.#docker,
        tags,
        data: { ...await dataOf(artifact), Digest: digest },
      }),
      keep: true,
    };
  }
}

if (import.meta.main) {
  serve({ "post-processor": { "docker-push": DockerPushPostProcessor } });
}
