// Checking builds: lets each component check its configuration where nothing
// is to be built, in time that grows with the template and not with builds
// times provisioners.

import { Build } from "./build.ts";
import { errorMessage } from "../errors/error_message.ts";
import type { BuildPlan, ComponentPlan } from "../plan/build_plan.ts";
import { BuildPlugins } from "./build_plugins.ts";
import type { LaunchOptions } from "../plugin/launch_options.ts";
import type { TemplatePlan } from "../plan/plan.ts";
import { reportOutcomes, warnUnmatched } from "./prepare_builds.ts";
import type { HostUi } from "../terminal/ui.ts";

/** How many builds have processes at a time. */
const CONCURRENCY = 8;

/**
 * Checks the builds of a template, and shows what is wrong with them.
 *
 * Each build's plugins are processes of its own, as when it runs; what comes
 * with baler is one process for all, since none of it does anything yet.
 *
 * @param plan What they are made of.
 * @param ui Where warnings and errors are shown.
 * @param launch How plugins are launched, beside what the plan says.
 * @returns Whether all of them can be built.
 */
export async function validateBuilds(
  plan: TemplatePlan,
  ui: HostUi,
  launch: LaunchOptions,
): Promise<boolean> {
  warnUnmatched(plan, ui);
  const options = { ...plan.launch, ...launch };
  await using bundled = new BuildPlugins(
    options,
    (plugin) => ui.message(`Waiting for ${plugin} to say hello...`),
  );
  const known = new ValidatedComponents();
  const builds: Build[] = [];
  const outcomes: PromiseSettledResult<string[]>[] = [];
  const shutdownErrors: Error[] = [];
  const check = async (one: BuildPlan, index: number) => {
    const build = new Build(
      known.withoutValidated(one),
      ui.forBuild(one.context.name, index),
      options,
      bundled,
    );
    builds[index] = build;
    [outcomes[index]] = await Promise.allSettled([
      build.prepare((component) => known.add(component)),
    ]) as [PromiseSettledResult<string[]>];
    shutdownErrors.push(...await build.close());
  };
  const left = plan.builds.entries();
  const checkSome = async () => {
    for (const [index, one] of left) await check(one, index);
  };
  // What the first finds to be fine is so for all.
  const first = left.next().value;
  if (first !== undefined) await check(first[1], first[0]);
  await Promise.all(Array.from({ length: CONCURRENCY }, checkSome));

  reportOutcomes(plan, builds, outcomes, ui);
  shutdownErrors.push(...await bundled.close());
  for (const error of shutdownErrors) ui.error(`Error: ${errorMessage(error)}`);
  return plan.refused.length === 0 && shutdownErrors.length === 0 &&
    outcomes.every(({ status }) => status === "fulfilled");
}

/** The components that were found to be fine for whatever build. */
class ValidatedComponents {
  readonly #fine = new Set<ComponentPlan | readonly ComponentPlan[]>();

  add(component: ComponentPlan): void {
    if (isSameForAllBuilds(component)) this.#fine.add(component);
  }

  /** A build without those components. */
  withoutValidated(plan: BuildPlan): BuildPlan {
    return {
      ...plan,
      provisioners: this.#left(plan.provisioners),
      postProcessors: plan.postProcessors.map((one) => this.#left(one)),
    };
  }

  #left<T extends ComponentPlan>(list: T[]): T[] {
    // Builds share their lists: a thousand of them need not be looked through.
    if (this.#fine.has(list)) return [];
    const left = list.filter((one) => !this.#fine.has(one));
    if (left.length === 0) this.#fine.add(list);
    return left;
  }
}

/** Whether what a component says of its configuration is the same in every build. */
function isSameForAllBuilds({ plugin, config }: ComponentPlan): boolean {
  // How other plugins use the name of a build is not known.
  if (plugin.process === undefined) return false;
  const text = JSON.stringify(config);
  const open = text.indexOf("{{");
  return open === -1 || !/build/i.test(text.slice(open));
}
