// The post-processor checksum writes the checksums of an artifact's files into
// files that md5sum -c, sha256sum -c and the like accept.

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
import { FilesArtifact } from "../../files/files_artifact.ts";
import { OutputFile } from "../shared/output_file.ts";
import { outputFields, outputPath } from "../shared/output_path.ts";
import { templateProblems } from "../shared/template_problems.ts";
import { servePostProcessor } from "../../sdk/serve.ts";

const TYPES = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];
const OUTPUT =
  "packer_{{.BuildName}}_{{.BuilderType}}_{{.ChecksumType}}.checksum";

/** The options of checksum. */
export const options = {
  checksum_types: {
    type: "strings",
    default: ["md5"] as string[],
    description: `The types of checksum to compute: ${TYPES.join(", ")}.`,
  },
  output: {
    type: "string",
    default: OUTPUT,
    interpolate: false,
    description:
      "The file to append the checksums to. It may contain {{.BuildName}}, {{.BuilderType}} and {{.ChecksumType}}.",
  },
} as const satisfies Options;

/** Writes checksums of an artifact's files. */
export default class ChecksumPostProcessor
  implements PostProcessor<ConfigOf<typeof options>> {
  /** Its options. */
  readonly options: typeof options = options;
  #types: string[] = [];
  #output = OUTPUT;
  #build!: BuildContext;

  /** Checks the types of checksum and the output. */
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

  /** Computes all checksums before it writes any. */
  async postProcess(
    { ui, artifact, data, signal }: PostProcessOptions,
  ): Promise<PostProcessResult> {
    const { workingDirectory } = this.#build;
    const sums: string[][] = [];
    for (const file of artifact.files) {
      sums.push(await this.#hash(file, ui, signal));
    }
    signal.throwIfAborted();
    const created: string[] = [];
    for (const [index, type] of this.#types.entries()) {
      const output = await render(this.#output, this.#build, {
        fields: { ...data, ...outputFields(this.#build), ChecksumType: type },
        generated: data,
      });
      const path = outputPath(workingDirectory, output);
      const lines = artifact.files.map((file, fileIndex) =>
        `${sums[fileIndex]![index]}\t${basename(file)}\n`
      ).join("");
      if (lines === "") continue;
      if (await appendLines(path, output, lines)) created.push(output);
    }
    const files = [...artifact.files, ...created];
    return {
      artifact: new FilesArtifact({
        builderId: "packer.post-processor.checksum",
        files: created,
        base: artifact,
        workingDirectory,
        text: `Created artifact from files: ${files.join(", ")}`,
      }),
      // The files of the input artifact are files of the new one.
      keep: true,
      mustKeep: true,
    };
  }

  // Reads the file once for all types: to read a disk image costs more than to hash
  // it.
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

/**
 * Appends lines to a file, all or none.
 *
 * @returns True when the file did not exist before.
 */
async function appendLines(
  path: string,
  output: string,
  lines: string,
): Promise<boolean> {
  try {
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new Error(
      `unable to create the directory of ${output}: ${
        (error as Error).message
      }`,
    );
  }
  let size: number | undefined;
  try {
    const exists = await Deno.stat(path).then(() => true, () => false);
    if (!exists) {
      await using file = await OutputFile.open(path, { mode: 0o644 });
      await file.write(new TextEncoder().encode(lines));
      if (await file.commitNew()) return true;
    }
    ({ size } = await Deno.stat(path));
    // A single write(2), so that the lines of another build do not come between.
    await Deno.writeTextFile(path, lines, { append: true });
    return false;
  } catch (error) {
    // Half a line would be taken for a checksum.
    if (size !== undefined) await Deno.truncate(path, size).catch(() => {});
    throw new Error(
      `unable to create file ${output}: ${(error as Error).message}`,
    );
  }
}

if (import.meta.main) servePostProcessor(new ChecksumPostProcessor());
