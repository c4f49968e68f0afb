// The directory that a builder writes its result to: it must be new, and it is
// removed when the build fails.

import { guardDirectory, unguardDirectory } from "../process/cleanup_guard.ts";
import type { ConfigProblem } from "../contract/config_error.ts";
import type { Step } from "./steps.ts";

/** Whose directory {@linkcode outputDirectoryStep} makes. */
export interface OutputDirectoryOptions {
  /** The absolute path of the directory. */
  directory: string;
  /** Whether a directory that exists is replaced: `-force`. */
  force: boolean;
}

/** What {@linkcode outputDirectoryStep} reads from the state of a run. */
export interface OutputDirectoryState {
  /** True once the directory holds the complete result: it then stays. */
  isComplete?: boolean;
}

/**
 * Checks that the directory does not exist, unless it may be replaced.
 *
 * @param options The directory.
 * @param key The option that names it.
 * @returns The problem, with its path, or none.
 */
export async function outputDirectoryProblems(
  { directory, force }: OutputDirectoryOptions,
  key = "output_directory",
): Promise<ConfigProblem[]> {
  if (force || !await exists(directory)) return [];
  return [{ path: [key], message: existsMessage(directory) }];
}

/**
 * The step that makes the directory. Its cleanup removes the directory unless
 * the result is complete; where this process is killed, its guard does.
 *
 * @param options The directory.
 */
export function outputDirectoryStep(
  { directory, force }: OutputDirectoryOptions,
): Step<OutputDirectoryState> {
  let isOurs = false;
  return {
    name: "StepPrepareOutputDir",
    run: async (_, { ui }) => {
      if (await exists(directory)) {
        if (!force) throw new Error(existsMessage(directory));
        await ui.say("Deleting previous output directory...");
        await Deno.remove(directory, { recursive: true });
      }
      await guardDirectory(directory);
      isOurs = true;
      await Deno.mkdir(directory, { recursive: true });
    },
    cleanup: async ({ isComplete }, ui) => {
      if (!isOurs) return;
      if (!isComplete) {
        await ui.say("Deleting output directory...");
        await Deno.remove(directory, { recursive: true });
      }
      await unguardDirectory(directory);
    },
  };
}

function existsMessage(directory: string): string {
  return `the output directory ${directory} exists; remove it, or use -force to replace it`;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
