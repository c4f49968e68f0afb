// Runs one bundled post-processor, in this process or, as a program, in one of its own: for tests of the permissions
// that it needs, and of what it leaves behind when it is killed.
//
//     deno run … post_processor_program.ts NAME TIMES '{"config": …, "dir": …, "files": […]}'
//
// It prints the artifact after each run.

import { FilesArtifact } from "../../plugin/files/files_artifact.ts";
import type { PostProcessor } from "../../plugin/contract/post_processor.ts";
import { decodeConfig } from "../../plugin/sdk/decode_config.ts";
import type { BuildContext } from "../../plugin/contract/build_context.ts";
import type { Ui } from "../../plugin/contract/ui.ts";
import { buildContext, RecordingUi } from "./recording_ui.ts";

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
 * @param processing Its configuration, its input, and its build.
 */
export async function processed(
  postProcessor: PostProcessor,
  { config = {}, dir, files = [], id = "", data = {}, ...rest }: Processing,
) {
  const build = buildContext(dir, rest.build);
  await postProcessor.configure({
    config: await decodeConfig(config, postProcessor.options, build),
    build,
  });
  const result = await postProcessor.postProcess({
    ui: rest.ui ?? new RecordingUi(),
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
  // Imported one by one: a permission that one of them needs must not be hidden by the imports of another.
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
