// The builder file makes one file: a copy of another one, or a text from the
// template.

import { basename, dirname, resolve } from "@std/path";
import type { Artifact } from "../../contract/artifact.ts";
import type { BuildContext } from "../../contract/build_context.ts";
import type {
  Builder,
  BuilderRunOptions,
  PrepareOptions,
  PrepareResult,
} from "../../contract/builder.ts";
import {
  ConfigError,
  type ConfigProblem,
} from "../../contract/config_error.ts";
import { HOOK_PROVISION } from "../../contract/hook.ts";
import type { ConfigOf, Options } from "../../contract/options.ts";
import { serveBuilder } from "../../sdk/serve.ts";
import { ByteProgress, fileChunks } from "../shared/read_chunks.ts";
import { FilesArtifact, removeOutput } from "../../files/files_artifact.ts";
import { DiscardCommunicator } from "../../builder/communicators/discard.ts";
import { osError, withOsError } from "../../files/os_error.ts";
import { OutputFile } from "../shared/output_file.ts";
import { outputPath } from "../shared/output_path.ts";

const options = {
  content: { type: "string", description: "The content of the file." },
  source: {
    type: "string",
    description: "The path of a file to copy.",
  },
  target: {
    type: "string",
    description: "The path of the file to make; an existing file is replaced.",
  },
} as const satisfies Options;

/** Makes a file. */
export default class FileBuilder implements Builder<ConfigOf<typeof options>> {
  /** Its options. */
  readonly options: typeof options = options;
  #config!: ConfigOf<typeof options>;
  #build!: BuildContext;
  #written = false;

  /** Checks the paths. */
  prepare(
    { config, build }: PrepareOptions<ConfigOf<typeof options>>,
  ): PrepareResult {
    this.#config = config;
    this.#build = build;
    const { content, source, target } = config;
    const problems: ConfigProblem[] = [];
    if (!target) {
      problems.push({
        path: ["target"],
        message: 'target required: name the file to make in "target"',
      });
    }
    if (content && source) {
      problems.push({
        path: ["source"],
        message: "Cannot specify source file AND content",
      });
    }
    if (target && source && this.#path(source) === this.#path(target)) {
      problems.push({
        path: ["target"],
        message: `"source" and "target" are the same file: ${target}`,
      });
    }
    if (problems.length > 0) throw new ConfigError(problems);
    return content || source ? {} : {
      warnings: [
        "Both source file and contents are blank; target will have no content",
      ],
    };
  }

  /** Writes the file, and runs the provisioners; after a failure the file is removed. */
  async run({ ui, hook, signal }: BuilderRunOptions): Promise<Artifact> {
    const target = this.#config.target!;
    const path = outputPath(this.#build.workingDirectory, target);
    await withOsError(
      "mkdir",
      dirname(target),
      () => Deno.mkdir(dirname(path), { recursive: true }),
    );
    try {
      await this.#write({ ui, signal });
      await hook.run({
        name: HOOK_PROVISION,
        ui,
        communicator: new DiscardCommunicator(),
        signal,
      });
      signal.throwIfAborted();
    } catch (error) {
      if (this.#written && this.#build.onError !== "abort") {
        await removeOutput(path).catch(() => {});
      }
      throw error;
    }
    return new FilesArtifact({
      builderId: "packer.file",
      id: "File",
      files: [target],
      workingDirectory: this.#build.workingDirectory,
      text: `Stored file: ${target}`,
    });
  }

  async #write(
    { ui, signal }: Pick<BuilderRunOptions, "ui" | "signal">,
  ): Promise<void> {
    const { content = "", source } = this.#config;
    const target = this.#config.target!;
    const info = source
      ? await withOsError("open", source, () => statOf(this.#path(source)))
      : undefined;
    if (source && info?.isDirectory) {
      await ui.say(`Copying ${source} to ${target}`);
      throw osError("read", source, new Deno.errors.IsADirectory());
    }
    await using file = await withOsError(
      "open",
      target,
      () =>
        OutputFile.open(this.#path(target), {
          // As in Packer: the content in a template may be a secret. A copy is
          // no more readable than its source.
          mode: info === undefined ? 0o600 : (info.mode ?? 0o666) & 0o666,
        }),
    );
    const write = (bytes: Uint8Array) =>
      withOsError("write", target, () => file.write(bytes));
    if (!source) await write(new TextEncoder().encode(content));
    else {
      await ui.say(`Copying ${source} to ${target}`);
      const progress = new ByteProgress(
        ui,
        `copy ${basename(source)}`,
        info!.size,
      );
      let bytes = 0;
      for await (
        const chunk of fileChunks(this.#path(source), { signal, progress })
      ) {
        await write(chunk);
        bytes += chunk.length;
      }
      await progress.end();
      await ui.say(`Copied ${bytes} bytes`);
    }
    await withOsError("rename", target, () => file.commit());
    this.#written = true;
  }

  #path(path: string): string {
    return resolve(this.#build.workingDirectory, path);
  }
}

async function statOf(path: string): Promise<Deno.FileInfo> {
  using file = await Deno.open(path);
  return await file.stat();
}

if (import.meta.main) serveBuilder(new FileBuilder());
