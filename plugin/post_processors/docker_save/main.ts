// The post-processor docker-save writes an image to a tar file.

import { dirname, resolve } from "@std/path";
import { requireImage } from "../../builders/docker/docker_artifact.ts";
import { programOption } from "../../builders/docker/docker_options.ts";
import { type Docker, dockerOf } from "../../builders/docker/docker_program.ts";
import { OutputFile } from "../../bundled/shared/output_file.ts";
import type { PrepareOptions } from "../../contract/builder.ts";
import type { ConfigOf, Options } from "../../contract/options.ts";
import type {
  PostProcessOptions,
  PostProcessor,
  PostProcessResult,
} from "../../contract/post_processor.ts";
import { serve } from "../../sdk/serve.ts";

/** The options of docker-save. */
export const dockerSaveOptions = {
  path: {
    type: "string",
    required: true,
    description: "The path of the tar file.",
  },
  ...programOption,
} as const satisfies Options;

type Config = ConfigOf<typeof dockerSaveOptions>;

/** Writes an image to a tar file. */
export class DockerSavePostProcessor implements PostProcessor<Config> {
  /** Its options. */
  readonly options: typeof dockerSaveOptions = dockerSaveOptions;
  #docker!: Docker;
  #path = "";
  #target = "";

  /** Takes the path. */
  configure({ config, build }: PrepareOptions<Config>): void {
    this.#docker = dockerOf(config, build);
    this.#path = config.path;
    this.#target = resolve(build.workingDirectory, config.path);
  }

  /** Saves the image. */
  async postProcess(
    { ui, artifact, signal }: PostProcessOptions,
  ): Promise<PostProcessResult> {
    const { id } = artifact;
    requireImage(artifact, "Can only save Docker builder artifacts.");
    await ui.message(`Saving image: ${id}`);
    await Deno.mkdir(dirname(this.#target), { recursive: true });
    await using file = await OutputFile.open(this.#target);
    await this.#docker.run(["save", id], { signal, stdout: file.writable });
    signal.throwIfAborted();
    await file.commit();
    await ui.message(`Saved to: ${this.#path}`);
    return { artifact, keep: true };
  }
}

if (import.meta.main) {
  serve({ "post-processor": { "docker-save": DockerSavePostProcessor } });
}
