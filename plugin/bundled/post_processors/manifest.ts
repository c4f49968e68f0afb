// The post-processor manifest writes a list of what was built, for other programs.

import { basename, resolve } from "@std/path";
import type { BuildContext } from "../../contract/build_context.ts";
import type { PrepareOptions } from "../../contract/builder.ts";
import { ConfigError } from "../../contract/config_error.ts";
import type { ConfigOf, Options } from "../../contract/options.ts";
import type {
  PostProcessOptions,
  PostProcessor,
  PostProcessResult,
} from "../../contract/post_processor.ts";
import { render } from "../../sdk/render.ts";
import { addToManifest } from "./manifest_file.ts";
import { outputPath } from "../shared/output_path.ts";
import { runUuid } from "../shared/run_uuid.ts";
import { templateProblems } from "../shared/template_problems.ts";
import { servePostProcessor } from "../../sdk/serve.ts";

const OUTPUT = "packer-manifest.json";

/** The options of manifest. */
export const options = {
  output: {
    type: "string",
    default: OUTPUT,
    description: "The path of the manifest.",
  },
  strip_path: {
    type: "boolean",
    default: false,
    description: "Write the names of files without their directories.",
  },
  strip_time: {
    type: "boolean",
    default: false,
    description: "Leave out `build_time`.",
  },
  custom_data: {
    type: "map",
    interpolate: false,
    description:
      "Strings to add to the entry, by name. They may contain templates.",
  },
} as const satisfies Options;

/** Adds an artifact to a manifest. */
export default class ManifestPostProcessor
  implements PostProcessor<ConfigOf<typeof options>> {
  /** Its options. */
  readonly options: typeof options = options;
  #config!: ConfigOf<typeof options>;
  #build!: BuildContext;

  /** Checks the templates of custom_data. */
  async configure(
    { config, build }: PrepareOptions<ConfigOf<typeof options>>,
  ): Promise<void> {
    this.#config = config;
    this.#build = build;
    const problems = [];
    for (const [key, text] of Object.entries(config.custom_data ?? {})) {
      const path = ["custom_data", key];
      problems.push(...await templateProblems(text, path));
      if (problems.length > 0) continue;
      try {
        await render(text, build, { fields: {}, generated: "later" });
      } catch (error) {
        problems.push({ path, message: (error as Error).message });
      }
    }
    if (problems.length > 0) throw new ConfigError(problems);
  }

  /** Adds an entry, and passes the artifact on. */
  async postProcess(
    { artifact, data, signal }: PostProcessOptions,
  ): Promise<PostProcessResult> {
    signal.throwIfAborted();
    const { name, type, workingDirectory, force } = this.#build;
    const output = this.#config.output || OUTPUT;
    await addToManifest({
      path: outputPath(workingDirectory, output),
      name: output,
      build: {
        name,
        builder_type: type,
        build_time: this.#config.strip_time
          ? undefined
          : Math.floor(Date.now() / 1000),
        files: await this.#files(artifact.files),
        artifact_id: artifact.id,
        packer_run_uuid: await runUuid(),
        custom_data: await this.#customData(data),
      },
      replaceEarlierRuns: force,
      signal,
    });
    // The files in the manifest must be kept.
    return { artifact, keep: true, mustKeep: true };
  }

  async #files(files: readonly string[]) {
    if (files.length === 0) return null;
    return await Promise.all(files.map(async (file) => {
      const { size } = await Deno.stat(
        resolve(this.#build.workingDirectory, file),
      ).catch(() => ({ size: 0 }));
      return { name: this.#config.strip_path ? basename(file) : file, size };
    }));
  }

  async #customData(data: Record<string, unknown>) {
    const { custom_data } = this.#config;
    if (custom_data === undefined) return null;
    const rendered: Record<string, string> = {};
    for (const key of Object.keys(custom_data).sort()) {
      try {
        rendered[key] = await render(custom_data[key]!, this.#build, {
          fields: data,
          // A name that the builder did not publish is ignored.
          generated: publishedFor(custom_data[key]!, data),
        });
      } catch (error) {
        throw new Error(
          `Error interpolating custom data "${key}": ${
            (error as Error).message
          }`,
        );
      }
    }
    return rendered;
  }
}

/** ``{{build `NAME`}}`` and its kin: the first group is the quote, the second the name. */
const BUILD_CALL = /\bbuild\s+(["`])(.*?)\1/g;

/** What the builder published, with `<no value>` for other names in a text, as in Go. */
function publishedFor(
  text: string,
  data: Record<string, unknown>,
): Record<string, unknown> {
  const missing = [...text.matchAll(BUILD_CALL)].map(([, , name]) =>
    [name!, "<no value>"] as const
  );
  return { ...Object.fromEntries(missing), ...data };
}

if (import.meta.main) servePostProcessor(new ManifestPostProcessor());
