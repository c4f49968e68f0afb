// Runs one bundled post-processor in a process of its own, for tests of what
// it may do without and of what becomes of its files when it is killed.
//
//     deno run … post_processor_program.ts NAME TIMES '{"config": …, "dir": …, "files": […]}'
//
// It prints one line for each time that it is done.

import { FilesArtifact } from "../../plugin/bundled/shared/files_artifact.ts";
import type { PostProcessor } from "../../plugin/contract/post_processor.ts";
import { decodeConfig } from "../../plugin/sdk/decode_config.ts";
import type { BuildContext } from "../../plugin/contract/build_context.ts";
import type { Ui } from "../../plugin/contract/ui.ts";

/**
 * A build in a folder.
 *
 * @param dir The folder.
 * @param more What is not as usual.
 */
export function buildIn(
  dir: string,
  more: Partial<BuildContext> = {},
): BuildContext {
  return {
    name: "vm",
    type: "null",
    workingDirectory: dir,
    userVariables: {},
    sensitiveVariables: [],
    debug: false,
    force: false,
    onError: "cleanup",
    coreVersion: "0.1.0",
    packerVersion: "1.6.6",
    startedAt: new Date(),
    ...more,
  };
}

/** A person who listens and never answers. */
export class SilentUi implements Ui {
  /** Every line that was said. */
  readonly lines: string[] = [];
  /** Called at each report of progress. */
  onProgress: (done: boolean) => void = () => {};
  say(line: string): void {
    this.lines.push(line);
  }
  message(line: string): void {
    this.lines.push(line);
  }
  error(line: string): void {
    this.lines.push(line);
  }
  machine(): void {}
  ask(): string {
    throw new Error("nobody is there");
  }
  progress({ done = false }: { done?: boolean }): void {
    this.onProgress(done);
  }
}

/** How {@linkcode processed} runs a post-processor. */
export interface Processing {
  config?: Record<string, unknown>;
  dir: string;
  files?: string[];
  id?: string;
  data?: Record<string, unknown>;
  build?: Partial<BuildContext>;
  ui?: Ui;
  signal?: AbortSignal;
}

/**
 * Configures a post-processor and runs it.
 *
 * @param postProcessor The post-processor.
 * @param processing What it gets.
 */
export async function processed(
  postProcessor: PostProcessor,
  { config = {}, dir, files = [], id = "", data = {}, ...rest }: Processing,
) {
  const build = buildIn(dir, rest.build);
  await postProcessor.configure({
    config: await decodeConfig(config, postProcessor.options, build),
    build,
  });
  const result = await postProcessor.postProcess({
    ui: rest.ui ?? new SilentUi(),
    artifact: new FilesArtifact({
      builderId: "test.builder",
      id,
      files,
      workingDirectory: dir,
      text: "what came in",
    }),
    data,
    signal: rest.signal ?? new AbortController().signal,
  });
  const { artifact } = result;
  if (artifact === undefined) throw new Error("it made no artifact");
  return { ...result, artifact };
}

if (import.meta.main) {
  const [name, times, processing] = Deno.args;
  // Each by its name, so that what one imports cannot hide what another needs.
  const { default: PostProcessor } = name === "manifest"
    ? await import("../../plugin/bundled/post_processors/manifest.ts")
    : name === "checksum"
    ? await import("../../plugin/bundled/post_processors/checksum.ts")
    : name === "compress"
    ? await import("../../plugin/bundled/post_processors/compress.ts")
    : await import("../../plugin/bundled/post_processors/artifice.ts");
  for (let time = 0; time < Number(times); time++) {
    const { artifact } = await processed(
      new PostProcessor() as PostProcessor,
      JSON.parse(processing!),
    );
    console.log(String(artifact));
    if (name === "artifice") await artifact.destroy();
  }
}
