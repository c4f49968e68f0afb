// Packer's options for a CD with files for the machine, and the step that makes
// it.

import { join } from "@std/path";
import type { ConfigOf, Options } from "../contract/options.ts";
import { writeCdImage } from "./cd_image.ts";
import { TemporaryDirectory } from "./temporary_directory.ts";
import type { Step } from "./steps.ts";

/** Packer's options for a CD. */
export const cdOptions = {
  cd_files: {
    type: "strings",
    description:
      "Files and directories for a CD; the wildcards `*`, `?` and `[...]` are expanded.",
  },
  cd_content: {
    type: "map",
    interpolate: false,
    description: "Contents of files for that CD, by their paths.",
  },
  cd_label: {
    type: "string",
    default: "packer",
    description: "The CD's label, such as `cidata` for cloud-init.",
  },
} as const satisfies Options;

/** What a builder gets of {@linkcode cdOptions}. */
export type CdConfig = ConfigOf<typeof cdOptions>;

/** What {@linkcode cdStep} adds to the state of a run. */
export interface CdState {
  /** The path of the CD's image; none where there is nothing for a CD. */
  cd?: string;
}

/** What {@linkcode cdStep} needs. */
export interface CdStepOptions<State> {
  /** The configuration. */
  config: CdConfig;
  /** The directory of relative paths. */
  workingDirectory: string;
  /** Fills in the templates in a content, with what the steps before have made. */
  render: (text: string, state: State) => Promise<string>;
}

/**
 * The step that makes the image of a CD, which is there until the end of the
 * run.
 *
 * @param options The configuration, and how contents are rendered.
 */
export function cdStep<State extends CdState>(
  { config, workingDirectory, render }: CdStepOptions<State>,
): Step<State> {
  const { cd_files, cd_content, cd_label } = config;
  let directory: TemporaryDirectory | undefined;
  return {
    name: "StepCreateCD",
    run: async (state, { ui }) => {
      if (!cd_files?.length && !cd_content) return;
      await ui.say("Creating CD disk...");
      const content: Record<string, string> = {};
      for (const [path, text] of Object.entries(cd_content ?? {})) {
        content[path] = await render(text, state);
      }
      directory = await TemporaryDirectory.create({ prefix: "baler-cd-" });
      const path = join(directory.path, "cd.iso");
      await writeCdImage(path, {
        files: cd_files,
        content,
        label: cd_label,
        workingDirectory,
      });
      state.cd = path;
    },
    cleanup: async () => await directory?.[Symbol.asyncDispose](),
  };
}
