// All builds of a template: run side by side, as many at a time as wanted,
// each to its own end.

import type { Build } from "./build.ts";
import {
  AggregateBuildError,
  errorMessage,
  formatErrorChain,
} from "../errors/error_message.ts";
import { formatError } from "../errors/format_error.ts";
import { durationText } from "../text/format_duration.ts";
import type { ArtifactSummary } from "./post_process.ts";

/** How one build ended. */
export interface BuildResult {
  /** The build's name. */
  name: string;
  /** The artifacts that it left; absent when it failed before it had them. */
  artifacts?: ArtifactSummary[];
  /** Why it failed, or what went wrong with the end of its plugins. */
  error?: unknown;
}

/**
 * Runs builds.
 *
 * @param builds The builds, prepared. Each is disposed of at its end.
 * @param parallel How many run at a time; 0 for all.
 * @param signal Cancels all of them when aborted.
 * @returns How each ended, in the order of `builds`.
 */
export async function runBuilds(
  builds: readonly Build[],
  parallel: number,
  signal: AbortSignal,
): Promise<BuildResult[]> {
  const results: BuildResult[] = [];
  let next = 0;
  const runSome = async () => {
    while (next < builds.length) {
      const index = next++;
      results[index] = await runOne(builds[index]!, signal);
    }
  };
  const count = parallel === 0 ? builds.length : parallel;
  await Promise.all(
    Array.from({ length: Math.min(count, builds.length) }, runSome),
  );
  return results;
}

async function runOne(build: Build, signal: AbortSignal): Promise<BuildResult> {
  const result = await outcomeOf(build, signal);
  const late = await build.close();
  if (late.length === 0) return result;
  const error = late.length === 1 ? late[0] : new AggregateBuildError(late);
  build.log.write("baler", formatErrorChain(error));
  // What comes of its failure is no news to the person who has been told of that.
  if (result.error !== undefined || signal.aborted) return result;
  build.ui.showUnprefixed(
    "error",
    `Build '${build.name}' succeeded, but a plugin did not shut down cleanly: ${
      errorMessage(error)
    }`,
  );
  return { ...result, error };
}

async function outcomeOf(
  build: Build,
  signal: AbortSignal,
): Promise<BuildResult> {
  const { name, ui } = build;
  const begin = performance.now();
  const took = () => durationText(performance.now() - begin);
  try {
    const artifacts = await build.run(signal)
      .finally(() => ui.end());
    ui.showUnprefixed("say", `Build '${name}' finished after ${took()}.`);
    return { name, artifacts };
  } catch (error) {
    build.log.write("baler", formatErrorChain(error));
    ui.showUnprefixed(
      "error",
      `Build '${name}' errored after ${took()}: ${formatError(error)}`,
    );
    // Nothing can be thrown, too, and the build has failed all the same.
    return { name, error: error ?? new Error(errorMessage(error)) };
  }
}
