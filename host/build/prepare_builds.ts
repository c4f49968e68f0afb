// Preparing builds: launches their plugins and lets each component check its
// configuration, for all builds at once, and shows what they say.

import { Build } from "./build.ts";
import { formatErrorChain } from "../errors/error_message.ts";
import { formatError } from "../errors/format_error.ts";
import { discardPrelaunched } from "../process/prelaunch.ts";
import type { LaunchOptions } from "../plugin/launch_options.ts";
import type { TemplatePlan } from "../plan/plan.ts";
import type { HostUi } from "../terminal/ui.ts";

/** Builds that can run, and how many cannot. */
export interface PreparedBuilds {
  /** Those that can run, in the template's order. */
  builds: Build[];
  /** How many cannot: their errors have been shown. */
  failed: number;
}

/**
 * Prepares the builds of a template.
 *
 * @param plan What they are made of.
 * @param ui Where warnings and errors are shown.
 * @param launch How plugins are launched, beside what the plan says.
 */
export async function prepareBuilds(
  plan: TemplatePlan,
  ui: HostUi,
  launch: LaunchOptions,
): Promise<PreparedBuilds> {
  warnUnmatched(plan, ui);
  const builds = plan.builds.map((one, index) =>
    new Build(one, ui.forBuild(one.context.name, index), {
      ...plan.launch,
      ...launch,
    })
  );
  const outcomes = await Promise.allSettled(
    builds.map((build) => build.prepare()),
  );
  // What has not been launched by now will not be.
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
    failed: builds.length - ready.length + plan.refused.length,
  };
}

/**
 * Shows which names of the command line nothing is called by, and which
 * variables of the template nobody has declared.
 *
 * @param plan The template's plan.
 * @param ui Where it is shown.
 */
export function warnUnmatched(plan: TemplatePlan, ui: HostUi): void {
  // Packer passes over them in silence; its programs read no line of it.
  if (ui.isMachineReadable) return;
  for (const pattern of plan.unmatched) {
    ui.say(
      `Warning: nothing is called "${pattern}", as -only or -except says.`,
    );
  }
  if (plan.undeclared !== undefined) ui.say(`Warning: ${plan.undeclared}`);
}

/**
 * Shows what is wrong with builds, and what their components warn of, by the
 * builds' names.
 *
 * @param plan The template's plan.
 * @param builds Its builds.
 * @param outcomes What `prepare` came to for each of them.
 * @param ui Where it is shown.
 */
export function reportOutcomes(
  plan: TemplatePlan,
  builds: readonly Build[],
  outcomes: readonly PromiseSettledResult<string[]>[],
  ui: HostUi,
): void {
  const said = plan.refused.map(({ name, error }) => ({
    name,
    text: `Error: Failed to initialize build "${name}"\n\n${error.message}\n`,
    isError: true,
  }));
  for (const [index, outcome] of outcomes.entries()) {
    const { name, log } = builds[index]!;
    if (outcome.status === "rejected") {
      log.write("baler", formatErrorChain(outcome.reason));
      const text = formatError(outcome.reason);
      said.push({
        name,
        text: `Error: Failed to prepare build: "${name}"\n\n${text}\n`,
        isError: true,
      });
      continue;
    }
    for (const warning of outcome.value) {
      said.push({
        name,
        text:
          `Warning: Warning when preparing build: "${name}"\n\n${warning}\n\n`,
        isError: false,
      });
    }
  }
  said.sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  for (const { text, isError } of said) {
    if (isError) ui.error(text);
    else ui.say(text);
  }
}
