// The builder file makes an artifact of a file: a copy of another one, or a
// text of the template's.

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
import { FilesArtifact } from "../shared/files_artifact.ts";
import { DiscardCommunicator } from "../communicators/discard.ts";
import { osError } from "../shared/os_error.ts";
import { outputPath } from "../shared/output_path.ts";

const options = {
  content: { type: "string", description: "What is written to the file." },
  source: {
    type: "string",
    description: "The path of a file that is copied.",
  },
  target: {
    type: "string",
    description:
      "The path of the file that is made; one that is there is replaced.",
  },
} as const satisfies Options;

/** Makes a file. */
export default class FileBuilder implements Builder<ConfigOf<typeof options>> {
  /** The configuration that it takes. */
  readonly options: typeof options = options;
  #config!: ConfigOf<typeof options>;
  #build!: BuildContext;
  #written = false;

  /** Takes the paths. */
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

  /** Writes the file. */
  async run({ ui, hook, signal }: BuilderRunOptions): Promise<Artifact> {
    const target = this.#config.target!;
    const path = outputPath(this.#build.workingDirectory, target);
    await told(
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
        await Deno.remove(path).catch(() => {});
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
    const { size, isDirectory } = source
      ? await told("open", source, () => statOf(this.#path(source)))
      : { size: 0, isDirectory: false };
    using file = await told(
      "open",
      target,
      () =>
        Deno.open(this.#path(target), {
          write: true,
          create: true,
          truncate: true,
          // As Packer has it: what stands in a template may be a secret.
          mode: source ? 0o666 : 0o600,
        }),
    );
    this.#written = true;
    if (!source) {
      await told(
        "write",
        target,
        () => writeAll(file, new TextEncoder().encode(content)),
      );
      return;
    }
    await ui.say(`Copying ${source} to ${target}`);
    if (isDirectory) {
      throw osError("read", source, new Deno.errors.IsADirectory());
    }
    const progress = new ByteProgress(ui, `copy ${basename(source)}`, size);
    let bytes = 0;
    for await (
      const chunk of fileChunks(this.#path(source), { signal, progress })
    ) {
      await told("write", target, () => writeAll(file, chunk));
      bytes += chunk.length;
    }
    await progress.end();
    await ui.say(`Copied ${bytes} bytes`);
  }

  #path(path: string): string {
    return resolve(this.#build.workingDirectory, path);
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += await file.write(bytes.subarray(done));
  }
}

async function statOf(path: string): Promise<Deno.FileInfo> {
  using file = await Deno.open(path);
  return await file.stat();
}

async function told<T>(
  action: string,
  path: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw osError(action, path, error);
  }
}

if (import.meta.main) serveBuilder(new FileBuilder());
