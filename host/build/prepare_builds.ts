// Prepares all builds concurrently: launches their plugins, passes each component
// its configuration, and shows warnings and errors.

import { Build } from "./build.ts";
import {
  formatErrorChain,
  indentContinuation,
} from "../errors/error_message.ts";
import { formatError } from "../errors/format_error.ts";
import { discardPrelaunched } from "../process/prelaunch.ts";
import type { LaunchOptions } from "../plugin/launch_options.ts";
import type { TemplatePlan } from "../plan/plan.ts";
import type { HostUi } from "../terminal/ui.ts";

/** The prepared builds, and the number of failed ones. */
export interface PreparedBuilds {
  /** The builds that can run, in the template's order. */
  builds: Build[];
  /** How many builds could not be prepared; their errors have been shown. */
  failed: number;
}

/**
 * Prepares builds of a template.
 *
 * @param plan The template's plan, with the builds to prepare.
 * @param ui Shows warnings and errors.
 * @param launch How plugins are launched; overrides the options of the plan.
 * @param firstIndex The index of the first build among all builds of the template.
 */
export async function prepareBuilds(
  plan: TemplatePlan,
  ui: HostUi,
  launch: LaunchOptions,
  firstIndex = 0,
): Promise<PreparedBuilds> {
  const builds = plan.builds.map((one, index) =>
    new Build(one, ui.forBuild(one.context.name, firstIndex + index), {
      ...plan.launch,
      ...launch,
    })
  );
  const outcomes = await Promise.allSettled(
    builds.map((build) => build.prepare()),
  );
  // A process that no build has claimed is not needed.
  void discardPrelaunched();
  const ready: Build[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    const build = builds[index]!;
    if (outcome.status === "fulfilled") ready.push(build);
    else await build[Symbol.asyncDispose]();
  }
  reportOutcomes(plan, builds, outcomes, ui);
  return {
    builds: ready,
    failed: builds.length - ready.length,
  };
}

/**
 * Warns about patterns in -only and -except that match nothing, and about
 * undeclared variables.
 *
 * @param plan The template's plan.
 * @param ui Shows the warnings.
 */
export function warnUnmatched(plan: TemplatePlan, ui: HostUi): void {
  for (const warning of plan.warnings) ui.say(`Warning: ${warning}`);
  // Packer does not warn, so programs that read its output expect no such line.
  if (ui.isMachineReadable) return;
  for (const pattern of plan.unmatched) {
    ui.say(
      `Warning: no build or post-processor matches "${pattern}" (-only/-except).`,
    );
  }
  if (plan.undeclared !== undefined) ui.say(`Warning: ${plan.undeclared}`);
}

/**
 * Shows the errors and warnings of the preparation, sorted by the names of the
 * builds.
 *
 * @param plan The template's plan.
 * @param builds Its builds.
 * @param outcomes The outcome of `prepare` for each build.
 * @param ui Shows the errors and warnings.
 */
export function reportOutcomes(
  plan: TemplatePlan,
  builds: readonly Build[],
  outcomes: readonly PromiseSettledResult<string[]>[],
  ui: HostUi,
): void {
  const lines = plan.refused.map(({ name, error }) => ({
    name,
    text: `Error: Failed to initialize build "${name}"\n\n${error.message}\n`,
    isError: true,
  }));
  for (const [index, outcome] of outcomes.entries()) {
    const { name, log } = builds[index]!;
    if (outcome.status === "rejected") {
      log.write("baler", formatErrorChain(outcome.reason));
      const text = formatError(outcome.reason);
      lines.push({
        name,
        text: `Error: Failed to prepare build: "${name}"\n\n${text}\n`,
        isError: true,
      });
      continue;
    }
    for (const warning of outcome.value) {
      lines.push({
        name,
        text: `Warning: Warning when preparing build: "${name}"\n\n${
          indentContinuation(warning)
        }\n\n`,
        isError: false,
      });
    }
  }
  lines.sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  for (const { text, isError } of lines) {
    if (isError) ui.error(text);
    else ui.say(text);
  }
}
