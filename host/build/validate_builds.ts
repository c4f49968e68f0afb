// Validates builds: each component checks its configuration, and nothing is built.
// The time grows with the size of the template, not with the number of builds times
// the number of provisioners.

import { Build } from "./build.ts";
import { errorMessage } from "../errors/error_message.ts";
import type { BuildPlan, ComponentPlan } from "../plan/build_plan.ts";
import { BuildPlugins } from "./build_plugins.ts";
import type { LaunchOptions } from "../plugin/launch_options.ts";
import type { TemplatePlan } from "../plan/plan.ts";
import { reportOutcomes, warnUnmatched } from "./prepare_builds.ts";
import type { HostUi } from "../terminal/ui.ts";

/** How many builds have processes at the same time. */
const CONCURRENCY = 8;

/**
 * Validates the builds of a template, and shows errors and warnings.
 *
 * Each build has processes of its own for its plugins, as when it runs. The
 * bundled components of all builds share one process, since nothing runs.
 *
 * @param plan The template's plan.
 * @param ui Shows warnings and errors.
 * @param launch How plugins are launched; overrides the options of the plan.
 * @returns Whether all builds are valid.
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
    (plugin) =>
      ui.message(`Waiting for ${plugin} to complete the handshake...`),
  );
  const validated = new ValidatedComponents();
  const builds: Build[] = [];
  const outcomes: PromiseSettledResult<string[]>[] = [];
  const shutdownErrors: Error[] = [];
  const validate = async (one: BuildPlan, index: number) => {
    const build = new Build(
      validated.withoutValidated(one),
      ui.forBuild(one.context.name, index),
      options,
      bundled,
    );
    builds[index] = build;
    [outcomes[index]] = await Promise.allSettled([
      build.prepare((component) => validated.add(component)),
    ]) as [PromiseSettledResult<string[]>];
    shutdownErrors.push(...await build.close());
  };
  const left = plan.builds.entries();
  const validateSome = async () => {
    for (const [index, one] of left) await validate(one, index);
  };
  // The components that are valid in the first build need not be checked in the others.
  const first = left.next().value;
  if (first !== undefined) await validate(first[1], first[0]);
  await Promise.all(Array.from({ length: CONCURRENCY }, validateSome));

  reportOutcomes(plan, builds, outcomes, ui);
  shutdownErrors.push(...await bundled.close());
  for (const error of shutdownErrors) ui.error(`Error: ${errorMessage(error)}`);
  return plan.refused.length === 0 && shutdownErrors.length === 0 &&
    outcomes.every(({ status }) => status === "fulfilled");
}

/** The components that are valid in any build. */
class ValidatedComponents {
  readonly #valid = new Set<ComponentPlan | readonly ComponentPlan[]>();

  add(component: ComponentPlan): void {
    if (isSameForAllBuilds(component)) this.#valid.add(component);
  }

  /** Returns a build without those components. */
  withoutValidated(plan: BuildPlan): BuildPlan {
    return {
      ...plan,
      provisioners: this.#remaining(plan.provisioners),
      postProcessors: plan.postProcessors.map((one) => this.#remaining(one)),
    };
  }

  #remaining<T extends ComponentPlan>(list: T[]): T[] {
    // Builds share their lists, so a list is filtered once.
    if (this.#valid.has(list)) return [];
    const remaining = list.filter((one) => !this.#valid.has(one));
    if (remaining.length === 0) this.#valid.add(list);
    return remaining;
  }
}

/** Whether the result for a component is the same in every build. */
function isSameForAllBuilds({ plugin, config }: ComponentPlan): boolean {
  // Other plugins may use the name of the build.
  if (plugin.process === undefined) return false;
  const text = JSON.stringify(config);
  const open = text.indexOf("{{");
  return open === -1 || !/build/i.test(text.slice(open));
}
