// The post-processor checksum writes the checksums of an artifact's files
// into files that md5sum -c, sha256sum -c and their kin accept.

import { createHash } from "node:crypto";
import { basename, dirname, resolve } from "@std/path";
import type { BuildContext } from "../../contract/build_context.ts";
import type { PrepareOptions } from "../../contract/builder.ts";
import {
  ConfigError,
  type ConfigProblem,
} from "../../contract/config_error.ts";
import type { ConfigOf, Options } from "../../contract/options.ts";
import type {
  PostProcessOptions,
  PostProcessor,
  PostProcessResult,
} from "../../contract/post_processor.ts";
import { render } from "../../sdk/render.ts";
import type { Ui } from "../../contract/ui.ts";
import { ByteProgress, fileChunks } from "../shared/read_chunks.ts";
import { FilesArtifact } from "../shared/files_artifact.ts";
import { outputPath } from "../shared/output_path.ts";
import { templateProblems } from "../shared/template_problems.ts";
import { servePostProcessor } from "../../sdk/serve.ts";

const TYPES = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];
const OUTPUT =
  "packer_{{.BuildName}}_{{.BuilderType}}_{{.ChecksumType}}.checksum";

/** What the post-processor checksum takes. */
export const options = {
  checksum_types: {
    type: "strings",
    default: ["md5"] as string[],
    description: `The kinds of checksum to compute: ${TYPES.join(", ")}.`,
  },
  output: {
    type: "string",
    default: OUTPUT,
    interpolate: false,
    description:
      "The file that the checksums are added to; {{.BuildName}}, {{.BuilderType}} and {{.ChecksumType}} are filled in.",
  },
} as const satisfies Options;

/** Writes checksums of an artifact's files. */
export default class ChecksumPostProcessor
  implements PostProcessor<ConfigOf<typeof options>> {
  /** The configuration that it takes. */
  readonly options: typeof options = options;
  #types: string[] = [];
  #output = OUTPUT;
  #build!: BuildContext;

  /** Takes the kinds of checksum and the output. */
  async configure(
    { config, build }: PrepareOptions<ConfigOf<typeof options>>,
  ): Promise<void> {
    this.#types = config.checksum_types;
    this.#output = config.output || OUTPUT;
    this.#build = build;
    const problems: ConfigProblem[] = [];
    this.#types.forEach((type, index) => {
      if (TYPES.includes(type)) return;
      problems.push({
        path: ["checksum_types", index],
        message: `Unrecognized checksum type: ${type}; use one of ${
          TYPES.join(", ")
        }`,
      });
    });
    problems.push(
      ...await templateProblems(this.#output, ["output"]),
    );
    if (problems.length > 0) throw new ConfigError(problems);
  }

  /** Computes the checksums, and only then adds them to the outputs. */
  async postProcess(
    { ui, artifact, data, signal }: PostProcessOptions,
  ): Promise<PostProcessResult> {
    const { name, type: builderType, workingDirectory } = this.#build;
    const sums: string[][] = [];
    for (const file of artifact.files) {
      sums.push(await this.#hash(file, ui, signal));
    }
    signal.throwIfAborted();
    const created: string[] = [];
    for (const [index, type] of this.#types.entries()) {
      const output = await render(this.#output, this.#build, {
        fields: {
          ...data,
          BuildName: name,
          BuilderType: builderType,
          ChecksumType: type,
        },
        generated: data,
      });
      const path = outputPath(workingDirectory, output);
      for (const [fileIndex, file] of artifact.files.entries()) {
        const line = `${sums[fileIndex]![index]}\t${basename(file)}\n`;
        if (await appended(path, output, line)) created.push(output);
      }
    }
    const files = [...artifact.files, ...created];
    return {
      artifact: new FilesArtifact({
        builderId: "packer.post-processor.checksum",
        files,
        workingDirectory,
        text: `Created artifact from files: ${files.join(", ")}`,
      }),
      // The files of the artifact that came in are files of the new one.
      keep: true,
      mustKeep: true,
    };
  }

  // The file is read once for all kinds: reading a disk image costs more than
  // hashing it.
  async #hash(file: string, ui: Ui, signal: AbortSignal): Promise<string[]> {
    const path = resolve(this.#build.workingDirectory, file);
    const hashes = this.#types.map((type) => createHash(type));
    try {
      const { size } = await Deno.stat(path);
      const progress = new ByteProgress(ui, `checksum ${basename(file)}`, size);
      for await (const chunk of fileChunks(path, { signal, progress })) {
        for (const hash of hashes) hash.update(chunk);
      }
      await progress.end();
    } catch (error) {
      signal.throwIfAborted();
      throw new Error(
        `unable to read ${file} for its checksum: ${(error as Error).message}`,
      );
    }
    return hashes.map((hash) => hash.digest("hex"));
  }
}

async function appended(
  path: string,
  output: string,
  line: string,
): Promise<boolean> {
  try {
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new Error(
      `unable to create the folder of ${output}: ${(error as Error).message}`,
    );
  }
  const size = await Deno.stat(path).then(({ size }) => size, () => undefined);
  try {
    await Deno.writeTextFile(path, line, { append: true, mode: 0o644 });
  } catch (error) {
    // Half a line, or an empty file, would be taken for a checksum.
    await (size === undefined ? Deno.remove(path) : Deno.truncate(path, size))
      .catch(() => {});
    throw new Error(
      `unable to create file ${output}: ${(error as Error).message}`,
    );
  }
  return size === undefined;
}

if (import.meta.main) servePostProcessor(new ChecksumPostProcessor());
