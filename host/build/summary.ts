// The summary of all builds: the failed builds with their errors, and the
// artifacts of the others.

import { errorMessage } from "../errors/error_message.ts";
import { buildErrorMessage } from "../errors/format_error.ts";
import type { BuildResult } from "./run_builds.ts";
import { durationText } from "../text/format_duration.ts";
import type { HostUi } from "../terminal/ui.ts";

/**
 * Shows the summary.
 *
 * @param ui Shows it.
 * @param results The results of the builds.
 * @param durationMs How long all builds took together, in milliseconds.
 * @param isCancelled Whether the builds were cancelled.
 */
export function showSummary(
  ui: HostUi,
  results: readonly BuildResult[],
  durationMs: number,
  isCancelled: boolean,
): void {
  ui.say(`\n==> Wait completed after ${durationText(durationMs)}`);
  const failed = results.filter((result) => result.error !== undefined);
  if (failed.length > 0) {
    ui.event("", "error-count", [String(failed.length)]);
    ui.error("\n==> Some builds didn't complete successfully and had errors:");
    for (const { name, error } of failed) {
      ui.event(name, "error", [errorMessage(error)]);
      ui.error(`--> ${name}: ${buildErrorMessage(error)}`);
    }
  }

  const made = results.filter((result) => result.artifacts?.length);
  if (made.length === 0) {
    ui.say(
      isCancelled
        ? "\n==> The builds were cancelled; no artifacts were created."
        : "\n==> Builds finished but no artifacts were created.",
    );
    return;
  }
  ui.say("\n==> Builds finished. The artifacts of successful builds are:");
  for (const { name, artifacts = [] } of made) {
    ui.event(name, "artifact-count", [String(artifacts.length)]);
    for (const [index, artifact] of artifacts.entries()) {
      const event = (...data: string[]) =>
        ui.event(name, "artifact", [String(index), ...data]);
      event("builder-id", artifact.builderId);
      event("id", artifact.id);
      event("string", artifact.text);
      event("files-count", String(artifact.files.length));
      artifact.files.forEach((file, at) => event("file", String(at), file));
      event("end");
      // Each line has the prefix, so that none looks like one of another build.
      const prefix = `--> ${name}: `;
      ui.say(
        artifact.text.split("\n").map((line) => prefix + line).join("\n"),
      );
    }
  }
}
