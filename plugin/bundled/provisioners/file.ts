// The provisioner file copies files between this machine and the one that is being
// built.

import { basename, dirname, resolve } from "@std/path";
import type { BuildContext } from "../../contract/build_context.ts";
import type { PrepareOptions } from "../../contract/builder.ts";
import type { Communicator } from "../../contract/communicator.ts";
import {
  ConfigError,
  type ConfigProblem,
} from "../../contract/config_error.ts";
import type { ConfigOf, Options } from "../../contract/options.ts";
import type {
  Provisioner,
  ProvisionOptions,
} from "../../contract/provisioner.ts";
import { render } from "../../sdk/render.ts";
import { serveProvisioner } from "../../sdk/serve.ts";
import type { Ui } from "../../contract/ui.ts";
import { ByteProgress, fileChunks } from "../shared/read_chunks.ts";
import { osError, withOsError } from "../../files/os_error.ts";
import { OutputFile } from "../shared/output_file.ts";

const options = {
  source: {
    type: "string",
    description:
      "The path of the file or directory to copy. Of a directory with a slash at its end only the content is copied.",
  },
  sources: {
    type: "strings",
    description:
      "The paths of several files or directories, in place of `source`.",
  },
  destination: {
    type: "string",
    description:
      "The path to copy to; with a slash at its end, the directory to copy into.",
  },
  direction: {
    type: "string",
    default: "upload",
    description:
      "`upload` to the machine that is being built, or `download` from it.",
  },
  generated: {
    type: "boolean",
    default: false,
    description:
      "The build makes the source, so that it need not exist before.",
  },
} as const satisfies Options;

interface Transfer {
  source: string;
  destination: string;
  ui: Ui;
  communicator: Communicator;
  signal: AbortSignal;
}

/** Copies files to the machine or from it. */
export default class FileProvisioner
  implements Provisioner<ConfigOf<typeof options>> {
  /** Its options. */
  readonly options: typeof options = options;
  #config!: ConfigOf<typeof options>;
  #build!: BuildContext;
  #sources: string[] = [];

  /** Checks the paths. What is to be uploaded must exist, unless it is generated. */
  async prepare(
    { config, build }: PrepareOptions<ConfigOf<typeof options>>,
  ): Promise<void> {
    const { source, sources = [], destination, generated } = config;
    const direction = config.direction || "upload";
    this.#config = { ...config, direction };
    this.#build = build;
    this.#sources = source ? [...sources, source] : sources;
    const problems: ConfigProblem[] = [];
    if (direction !== "upload" && direction !== "download") {
      problems.push({
        path: ["direction"],
        message: "Direction must be one of: download, upload.",
      });
    }
    if (direction === "upload" && !generated) {
      for (const [index, path] of this.#sources.entries()) {
        try {
          await Deno.stat(this.#local(path));
        } catch (error) {
          problems.push({
            path: index < sources.length ? ["sources", index] : ["source"],
            message: `Bad source '${path}': ${
              osError("stat", path, error).message
            }`,
          });
        }
      }
    }
    if (this.#sources.length === 0) {
      problems.push({ path: ["source"], message: "Source must be specified." });
    }
    if (!destination) {
      problems.push({
        path: ["destination"],
        message: "Destination must be specified.",
      });
    }
    if (problems.length > 0) throw new ConfigError(problems);
  }

  /** Copies the files, one after the other. */
  async provision(
    { ui, communicator, data, signal }: ProvisionOptions,
  ): Promise<void> {
    if (!communicator) {
      throw new Error(
        "there is no machine to copy files to: the builder has no communicator",
      );
    }
    const rendered = (text: string) =>
      render(text, this.#build, { fields: data, generated: data });
    const destination = await rendered(this.#config.destination!);
    for (const path of this.#sources) {
      signal.throwIfAborted();
      const source = await rendered(path);
      const transfer = { source, destination, ui, communicator, signal };
      if (this.#config.direction === "upload") await this.#upload(transfer);
      else await this.#download(transfer);
    }
  }

  async #upload(transfer: Transfer): Promise<void> {
    const { source, destination, ui, communicator, signal } = transfer;
    await ui.say(`Uploading ${source} => ${destination}`);
    const path = this.#local(source);
    const info = await withOsError("stat", source, () => Deno.stat(path));
    await reported("Upload", transfer, async () => {
      if (info.isDirectory) {
        // resolve() drops the slash at the end, which has a meaning here.
        const tail = /[/\\]$/.test(source) ? "/" : "";
        return await communicator.uploadDir({
          source: path + tail,
          destination,
          signal,
        });
      }
      const progress = new ByteProgress(ui, basename(path), info.size);
      await communicator.upload({
        path: destination.endsWith("/")
          ? destination + basename(path)
          : destination,
        source: ReadableStream.from(fileChunks(path, { signal, progress })),
        size: info.size,
        ...(info.mode === null ? {} : { mode: info.mode & 0o7777 }),
        signal,
      });
      await progress.end();
    });
  }

  async #download(transfer: Transfer): Promise<void> {
    const { source, destination, ui, communicator, signal } = transfer;
    await ui.say(`Downloading ${source} => ${destination}`);
    const isDirectory = /\/$|[*?[]/.test(source);
    const named = destination.endsWith("/") && !isDirectory
      ? destination + basename(source)
      : destination;
    const path = this.#local(named);
    const directory = destination.endsWith("/") && isDirectory
      ? path
      : dirname(path);
    await withOsError(
      "mkdir",
      directory,
      () => Deno.mkdir(directory, { recursive: true }),
    );
    await reported("Download", transfer, async () => {
      if (isDirectory) {
        return await communicator.downloadDir({
          source,
          destination: path,
          signal,
        });
      }
      await using file = await withOsError(
        "open",
        named,
        () => OutputFile.open(path),
      );
      await communicator.download({
        path: source,
        destination: file.writable,
        signal,
      });
      await withOsError("rename", named, () => file.commit());
    });
  }

  #local(path: string): string {
    return resolve(this.#build.workingDirectory, path);
  }
}

/** Runs a transfer, and shows its failure. */
async function reported(
  what: "Upload" | "Download",
  { ui, signal }: Transfer,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    signal.throwIfAborted();
    await ui.error(`${what} failed: ${(error as Error).message}`);
    throw error;
  }
}

if (import.meta.main) serveProvisioner(new FileProvisioner());
