// The post-processor artifice replaces the files of an artifact by others: files
// that the build left on this machine.

import { resolve } from "@std/path";
import type { BuildContext } from "../../contract/build_context.ts";
import type { PrepareOptions } from "../../contract/builder.ts";
import { ConfigError } from "../../contract/config_error.ts";
import type { ConfigOf, Options } from "../../contract/options.ts";
import type {
  PostProcessOptions,
  PostProcessor,
  PostProcessResult,
} from "../../contract/post_processor.ts";
import { FilesArtifact } from "../../files/files_artifact.ts";
import { glob } from "../../files/glob.ts";
import { servePostProcessor } from "../../sdk/serve.ts";

/** The options of artifice. */
export const options = {
  files: {
    type: "strings",
    required: true,
    description:
      "The files that make up the artifact, as paths or patterns such as `dist/*.tar`.",
  },
} as const satisfies Options;

/** Replaces an artifact by files on this machine. */
export default class ArtificePostProcessor
  implements PostProcessor<ConfigOf<typeof options>> {
  /** Its options. */
  readonly options: typeof options = options;
  #files: string[] = [];
  #build!: BuildContext;

  /** Checks the patterns. */
  configure(
    { config, build }: PrepareOptions<ConfigOf<typeof options>>,
  ): void {
    if (!config.files?.length) {
      throw new ConfigError([{
        path: ["files"],
        message:
          'No files specified in artifice configuration: name at least one in "files"',
      }]);
    }
    this.#files = config.files;
    this.#build = build;
  }

  /** Finds the files. The input artifact is kept, unless the template says otherwise. */
  async postProcess(
    { ui, artifact, signal }: PostProcessOptions,
  ): Promise<PostProcessResult> {
    const { workingDirectory } = this.#build;
    if (artifact.files.length > 0) {
      await ui.say(
        `Discarding files from artifact: ${artifact.files.join(", ")}`,
      );
    }
    // The template names these files as the artifact, so that destroy() removes
    // them, as in Packer.
    const files: string[] = [];
    for (const pattern of this.#files) {
      signal.throwIfAborted();
      const matches = await glob(pattern, workingDirectory);
      if (matches.length === 0) {
        await ui.error(`Warning: "${pattern}" in "files" matches no file.`);
      }
      for (const file of matches) {
        try {
          await Deno.stat(resolve(workingDirectory, file));
        } catch (error) {
          throw new Error(
            `unable to use ${file}, which "${pattern}" in "files" matches: ${
              (error as Error).message
            }`,
          );
        }
        files.push(file);
      }
    }
    await ui.say(`Using these artifact files: ${files.join(", ")}`);
    return {
      artifact: new FilesArtifact({
        builderId: "packer.post-processor.artifice",
        files,
        workingDirectory,
        text: `Created artifact from files: ${files.join(", ")}`,
      }),
      keep: true,
    };
  }
}

if (import.meta.main) servePostProcessor(new ArtificePostProcessor());
