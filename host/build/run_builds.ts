// Runs the builds of a template in parallel, each independent of the others.

import type { Build } from "./build.ts";
import {
  AggregateBuildError,
  errorMessage,
  formatErrorChain,
} from "../errors/error_message.ts";
import { buildErrorMessage } from "../errors/format_error.ts";
import { durationText } from "../text/format_duration.ts";
import type { ArtifactSummary } from "./post_process.ts";

/** The result of one build. */
export interface BuildResult {
  /** The build's name. */
  name: string;
  /** Its artifacts; absent when it failed. */
  artifacts?: ArtifactSummary[];
  /** Why it failed, or why its plugins did not shut down cleanly. */
  error?: unknown;
}

/** How builds are run. */
export interface RunOptions {
  /** How many run at a time; 0 for all. */
  parallel: number;
  /** Cancels all of them when aborted. */
  signal: AbortSignal;
  /**
   * Called when a build starts or finishes.
   *
   * @param names The names of the active builds.
   */
  onActive?(names: readonly string[]): void;
}

/**
 * Runs builds.
 *
 * @param builds The prepared builds. Each is closed when it has finished.
 * @param options How they are run.
 * @returns The results, in the order of `builds`.
 */
export async function runBuilds(
  builds: readonly Build[],
  { parallel, signal, onActive }: RunOptions,
): Promise<BuildResult[]> {
  const results: BuildResult[] = [];
  const active = new Set<Build>();
  const report = () => onActive?.([...active].map(({ name }) => name));
  let next = 0;
  const runSome = async () => {
    while (next < builds.length) {
      const index = next++;
      const build = builds[index]!;
      active.add(build);
      report();
      results[index] = await runOne(build, signal);
      active.delete(build);
      report();
    }
  };
  const count = parallel === 0 ? builds.length : parallel;
  await Promise.all(
    Array.from({ length: Math.min(count, builds.length) }, runSome),
  );
  return results;
}

async function runOne(build: Build, signal: AbortSignal): Promise<BuildResult> {
  const result = await runAndReport(build, signal);
  const shutdownErrors = await build.close();
  if (shutdownErrors.length === 0) return result;
  const error = shutdownErrors.length === 1
    ? shutdownErrors[0]
    : new AggregateBuildError(shutdownErrors);
  build.log.write("baler", formatErrorChain(error));
  // A consequence of a failure that has already been reported.
  if (result.error !== undefined || signal.aborted) return result;
  build.ui.showUnprefixed(
    "error",
    `Build '${build.name}' succeeded, but a plugin did not shut down cleanly: ${
      buildErrorMessage(error)
    }`,
  );
  return { ...result, error };
}

async function runAndReport(
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
      `Build '${name}' errored after ${took()}: ${buildErrorMessage(error)}`,
    );
    // A plugin can also throw undefined: the build has still failed.
    return { name, error: error ?? new Error(errorMessage(error)) };
  }
}
