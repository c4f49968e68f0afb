// The plan: a template, its variables and what the command line says, turned
// into what each build is made of.

import type { BuildContext } from "../../plugin/contract/build_context.ts";
import { VERSION } from "../../plugin/common/version.ts";
import type {
  BuildPlan,
  PostProcessorPlan,
  ProvisionerPlan,
} from "./build_plan.ts";
import { ComponentFinder } from "./component_resolver.ts";
import { PACKER_VERSION } from "../config/environment.ts";
import type { LaunchOptions } from "../plugin/launch_options.ts";
import { pluginPathWarnings } from "../discovery/plugin_directories.ts";
import { pluginSources } from "../discovery/plugin_sources.ts";
import { runEnvironment } from "../process/plugin_environment.ts";
import { pluginTimeouts } from "../plugin/plugin_timeouts.ts";
import type { Redactor } from "../log/redactor.ts";
import { memoize } from "./memoize.ts";
import {
  selectBuilds,
  type SelectedBuild,
  type SelectedProvisioner,
} from "./select_builds.ts";
import { SourceError, type SourceProblem } from "../json/source_error.ts";
import {
  type PostProcessorEntry,
  readTemplate,
  type Template,
} from "../template/template.ts";
import { undeclaredVariables } from "../template/undeclared_variables.ts";
import {
  resolveVariables,
  type VariableOptions,
} from "../template/variables.ts";

/** What the command line says of a run. */
export interface PlanOptions extends VariableOptions {
  /** The patterns of `-only`. */
  only: readonly string[];
  /** The patterns of `-except`. */
  except: readonly string[];
  /** The directories of `-plugin-dir`. */
  pluginDir: readonly string[];
  /** How the builds are to run. */
  run: Pick<BuildContext, "debug" | "force" | "onError">;
  /** Learns the values that must not be seen. */
  redactor: Redactor;
}

/** A build that cannot be. The others can all the same. */
export interface InvalidBuild {
  /** Its name. */
  name: string;
  /** All that is wrong with it. */
  error: SourceError;
}

/** What a template comes to. */
export interface TemplatePlan {
  template: Template;
  /** The builds, by name. */
  builds: BuildPlan[];
  /** The builds that cannot be, by name: a plugin is missing, for example. */
  refused: InvalidBuild[];
  /** Patterns of `-only` and `-except` that match nothing. */
  unmatched: readonly string[];
  /** What is to be told about plugins that others can replace, and where they are looked for. */
  warnings: readonly string[];
  /** What is to be said of variables that it reads and nobody has declared. */
  undeclared: string | undefined;
  /** How plugins are launched. */
  launch: LaunchOptions;
}

/**
 * Makes the plan of a template.
 *
 * @param path The template's path, or `"-"`.
 * @param options What the command line says.
 * @throws {SourceError} When something is wrong that is not one build's own.
 */
export async function planBuilds(
  path: string,
  options: PlanOptions,
): Promise<TemplatePlan> {
  const startedAt = new Date();
  const template = await readTemplate(path);
  const variables = await resolveVariables(template, { ...options, startedAt });
  options.redactor.add(
    variables.sensitive.map((name) => variables.values[name] ?? ""),
  );
  const selection = selectBuilds(template, variables.values, {
    only: options.only,
    except: options.except,
    startedAt,
  });
  const finder = new ComponentFinder(
    template,
    variables,
    await pluginSources({ template, pluginDir: options.pluginDir }),
  );
  const contextOf = (build: SelectedBuild): BuildPlan["context"] => ({
    name: build.name,
    type: build.builder.type,
    ...(template.path === undefined ? {} : { templatePath: template.path }),
    workingDirectory: Deno.cwd(),
    ...options.run,
    coreVersion: VERSION,
    packerVersion: PACKER_VERSION,
    startedAt,
  });
  const planOf = planner(finder);
  const plans = await Promise.all(
    selection.builds.map((build) => planOf(build, contextOf(build))),
  );
  return {
    template,
    builds: plans.filter((plan) => "context" in plan),
    refused: deduplicateProblems(plans.filter((plan) => "error" in plan)),
    unmatched: selection.unmatched,
    warnings: [...pluginPathWarnings(), ...finder.warnings],
    undeclared: await undeclaredVariables(template, variables.values),
    launch: { ...pluginTimeouts(), env: runEnvironment() },
  };
}

/** What is wrong with several builds is told at length once. */
function deduplicateProblems(refused: readonly InvalidBuild[]): InvalidBuild[] {
  const told = new Set<string>();
  return refused.map(({ name, error }) => {
    const problems = error.problems.map((problem) => {
      const { message, location } = problem;
      const key = JSON.stringify([message, location?.line, location?.column]);
      if (!told.has(key)) {
        told.add(key);
        return problem;
      }
      return { ...problem, message: message.split("\n", 1)[0]! };
    });
    return { name, error: new SourceError(problems, error.source) };
  });
}

/** A part of a plan, and what is wrong with it. */
interface Planned<T> {
  readonly plan: T;
  readonly problems: readonly SourceProblem[];
}

/** Makes plans of builds, in which builds share what is the same for them. */
function planner(
  finder: ComponentFinder,
): (
  build: SelectedBuild,
  context: BuildPlan["context"],
) => Promise<BuildPlan | InvalidBuild> {
  const provisioner = memoize(
    async (entry: SelectedProvisioner): Promise<Planned<ProvisionerPlan>> => {
      const problems = entry.problems.flatMap((error) => error.problems);
      const plan = await finder.for(problems).component(
        "provisioner",
        entry,
        (at) => entry.pathOf(at),
      );
      const { pauseBefore, maxRetries, timeout } = entry;
      return { plan: { ...plan, pauseBefore, maxRetries, timeout }, problems };
    },
  );
  const provisioners = memoize(
    async (entries: readonly SelectedProvisioner[]) =>
      mergePlanned(await Promise.all(entries.map(provisioner))),
  );
  const postProcessor = memoize(
    async (entry: PostProcessorEntry): Promise<Planned<PostProcessorPlan>> => {
      const problems: SourceProblem[] = [];
      const { type, keepInputArtifact } = entry;
      const plan = {
        ...await finder.for(problems).component("post-processor", entry),
        type,
        ...(keepInputArtifact === undefined ? {} : { keepInputArtifact }),
      };
      return { plan, problems };
    },
  );
  const sequences = memoize(
    async (sequences: readonly (readonly PostProcessorEntry[])[]) =>
      mergePlanned(
        await Promise.all(
          sequences.map(async (sequence) =>
            mergePlanned(await Promise.all(sequence.map(postProcessor)))
          ),
        ),
      ),
  );
  return async ({ name, builder, ...build }, context) => {
    const own: SourceProblem[] = [];
    const cleanup = build.errorCleanupProvisioner;
    const [builderPlan, steps, cleanupPlan, postProcessors] = await Promise.all(
      [
        finder.for(own).component("builder", builder),
        provisioners(build.provisioners),
        cleanup && provisioner(cleanup),
        sequences(build.postProcessors),
      ],
    );
    const problems = [
      ...own,
      ...steps.problems,
      ...cleanupPlan?.problems ?? [],
      ...postProcessors.problems,
    ];
    if (problems.length > 0) {
      return { name, error: new SourceError(problems, finder.template.source) };
    }
    return {
      context,
      builder: builderPlan,
      provisioners: steps.plan,
      ...(cleanupPlan === undefined
        ? {}
        : { errorCleanupProvisioner: cleanupPlan.plan }),
      postProcessors: postProcessors.plan,
    };
  };
}

function mergePlanned<T>(parts: readonly Planned<T>[]): Planned<T[]> {
  return {
    plan: parts.map(({ plan }) => plan),
    problems: parts.flatMap(({ problems }) => problems),
  };
}
