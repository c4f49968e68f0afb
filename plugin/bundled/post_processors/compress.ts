// The post-processor compress packs the files of an artifact into one archive.

import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { basename } from "@std/path";
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
import { type ArchiveInput, archiveInputs } from "../archive/inputs.ts";
import { writeArchive } from "./write_archive.ts";
import { type ArchiveFormat, archiveFormat } from "../archive/format.ts";
import { bgzf, gzipOptions } from "../archive/bgzf.ts";
import { ByteProgress, fileChunks } from "../shared/read_chunks.ts";
import { FilesArtifact } from "../../files/files_artifact.ts";
import { outputFields, outputPath } from "../shared/output_path.ts";
import { templateProblems } from "../shared/template_problems.ts";
import { servePostProcessor } from "../../sdk/serve.ts";

const OUTPUT = "packer_{{.BuildName}}_{{.BuilderType}}";

/** The options of compress. */
export const options = {
  output: {
    type: "string",
    default: OUTPUT,
    interpolate: false,
    description:
      "The path of the archive. Its extension is its format: .tar, .zip, .gz, .bgzf, .lz4, .tar.gz, .tar.bgzf or .tar.lz4; .tar.gz with any other. It may contain {{.BuildName}} and {{.BuilderType}}.",
  },
  format: {
    type: "string",
    description:
      "The format of the archive, whatever its extension: one of those of `output`.",
  },
  compression_level: {
    type: "number",
    default: -1,
    description:
      "The compression level of gzip, bgzf and zip, from 1 (fast) to 9 (small); -1 for the default.",
  },
} as const satisfies Options;

/** Packs an artifact's files into an archive. */
export default class CompressPostProcessor
  implements PostProcessor<ConfigOf<typeof options>> {
  /** Its options. */
  readonly options: typeof options = options;
  #output = OUTPUT;
  #format!: ArchiveFormat;
  #level = -1;
  #build!: BuildContext;

  /** Checks the output and its format. */
  async configure(
    { config, build }: PrepareOptions<ConfigOf<typeof options>>,
  ): Promise<void> {
    this.#build = build;
    this.#output = config.output || OUTPUT;
    this.#format = archiveFormat(this.#output, config.format);
    // Packer treats 0 as "not given".
    this.#level = Math.min(Math.trunc(config.compression_level), 9) || -1;
    const problems = await templateProblems(this.#output, ["output"]);
    const { compression } = this.#format;
    if (compression === "xz") {
      problems.push({
        path: [config.format ? "format" : "output"],
        message:
          "xz archives cannot be written; use .tar, .zip, .gz, .bgzf, .lz4, .tar.gz, .tar.bgzf or .tar.lz4",
      });
    }
    if (this.#level < -2 && /gzip|bgzf/.test(compression ?? "")) {
      problems.push({
        path: ["compression_level"],
        message:
          `Invalid compression level. Expected an integer from -1 to 9, not ${config.compression_level}.`,
      });
    }
    if (problems.length > 0) throw new ConfigError(problems);
  }

  /** Writes the archive. */
  async postProcess(
    { ui, artifact, data, signal }: PostProcessOptions,
  ): Promise<PostProcessResult> {
    const { workingDirectory } = this.#build;
    const { archive, compression } = this.#format;
    signal.throwIfAborted();
    const target = await render(this.#output, this.#build, {
      fields: { ...data, ...outputFields(this.#build) },
      generated: data,
    });
    if (archive === undefined && artifact.files.length !== 1) {
      throw new Error(
        `Can only have 1 input file when not using tar/zip. Found ${artifact.files.length} files: [${
          artifact.files.join(" ")
        }]`,
      );
    }
    if (artifact.files.length === 0) {
      await ui.error(
        `Warning: the artifact has no files; the archive ${target} is empty.`,
      );
    }
    const path = outputPath(workingDirectory, target);
    const inputs = await archiveInputs(artifact.files, workingDirectory, path);
    if (compression !== undefined) {
      await ui.say(
        `Using ${compression} compression with 1 core for ${target}`,
      );
    }
    await ui.say(
      archive === "zip"
        ? `Zipping ${target}`
        : archive === "tar"
        ? `Tarring ${target} with ${compression ?? "no compression"}`
        : `Archiving ${artifact.files[0]} with ${compression}`,
    );
    const progress = new ByteProgress(
      ui,
      `compress ${basename(target)}`,
      inputs.reduce((sum, { info }) => sum + info.size, 0),
    );
    const writing = {
      path,
      name: target,
      signal,
      // An archive is no more readable than its files are.
      maxMode: inputs.reduce(
        (mode, { info }) => mode & (info.mode ?? 0o666),
        0o666,
      ) | 0o600,
    };
    await writeArchive(writing, async (sink) => {
      const stages: unknown[] = [
        await this.#source(inputs, { signal, progress }),
      ];
      if (compression !== undefined) stages.push(await this.#compressor());
      // deno-lint-ignore no-explicit-any
      await pipeline([...stages, sink] as any, { signal });
    });
    await progress.end();
    await ui.say(`Archive ${target} completed`);
    return {
      artifact: new FilesArtifact({
        builderId: "packer.post-processor.compress",
        files: [target],
        workingDirectory,
        text: `compressed artifacts in: ${target}`,
      }),
    };
  }

  async #source(
    inputs: ArchiveInput[],
    reading: Parameters<typeof fileChunks>[1],
  ): Promise<AsyncIterable<Uint8Array>> {
    switch (this.#format.archive) {
      case "tar": {
        const { tar } = await import("../archive/tar.ts");
        const { ownerNames } = await import("../archive/owner_names.ts");
        const { users, groups } = await ownerNames();
        return tar(inputs.map(({ file, path, info, mode }) => ({
          name: basename(file),
          mode,
          size: info.size,
          uid: info.uid ?? 0,
          gid: info.gid ?? 0,
          userName: info.uid === null ? undefined : users.get(info.uid),
          groupName: info.gid === null ? undefined : groups.get(info.gid),
          content: fileChunks(path, reading),
        })));
      }
      case "zip": {
        const { zip } = await import("../archive/zip.ts");
        const entries = inputs.map(({ file, path, info, mode }) => ({
          path: file,
          mode,
          size: info.size,
          content: () => fileChunks(path, reading),
        }));
        return zip(entries, this.#level > 0 ? this.#level : 6);
      }
      default:
        return fileChunks(inputs[0]!.path, reading);
    }
  }

  async #compressor() {
    switch (this.#format.compression) {
      case "bgzf":
        return (source: AsyncIterable<Uint8Array>) => bgzf(source, this.#level);
      case "lz4":
        return (await import("../archive/lz4.ts")).lz4;
      default:
        return createGzip({
          ...gzipOptions(this.#level),
          chunkSize: 128 * 1024,
        });
    }
  }
}

if (import.meta.main) servePostProcessor(new CompressPostProcessor());
