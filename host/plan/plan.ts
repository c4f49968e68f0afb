// The plan of a run: resolves a template, its variables and the options of the
// command line to the plan of each build.

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
import { selectBuilds, type SelectedBuild } from "./select_builds.ts";
import type { SelectedProvisioner } from "./select_provisioner.ts";
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

/** The options of the command line. */
export interface PlanOptions extends VariableOptions {
  /** The patterns of `-only`. */
  only: readonly string[];
  /** The patterns of `-except`. */
  except: readonly string[];
  /** The directories of `-plugin-dir`. */
  pluginDir: readonly string[];
  /** How the builds run. */
  run: Pick<BuildContext, "debug" | "force" | "onError">;
  /** Gets the values of sensitive variables. */
  redactor: Redactor;
}

/** A build that cannot run; other builds still can. */
export interface InvalidBuild {
  /** Its name. */
  name: string;
  /** Its problems. */
  error: SourceError;
}

/** The plan of a template. */
export interface TemplatePlan {
  template: Template;
  /** The builds, sorted by name. */
  builds: BuildPlan[];
  /** The builds that cannot run, for example because a plugin is missing; sorted by name. */
  refused: InvalidBuild[];
  /** The patterns of `-only` and `-except` that match nothing. */
  unmatched: readonly string[];
  /** The warnings about plugins that other users can replace, and about ignored plugin paths. */
  warnings: readonly string[];
  /** The warning about undeclared variables. */
  undeclared: string | undefined;
  /** How plugins are launched. */
  launch: LaunchOptions;
}

/**
 * Plans the builds of a template.
 *
 * @param path The template's path, or `"-"`.
 * @param options The options of the command line.
 * @throws {SourceError} For problems that do not belong to a single build.
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

/** Shortens a problem that several builds share to its first line after its first occurrence. */
function deduplicateProblems(refused: readonly InvalidBuild[]): InvalidBuild[] {
  const shown = new Set<string>();
  return refused.map(({ name, error }) => {
    const problems = error.problems.map((problem) => {
      const { message, location } = problem;
      const key = JSON.stringify([message, location?.line, location?.column]);
      if (!shown.has(key)) {
        shown.add(key);
        return problem;
      }
      return { ...problem, message: message.split("\n", 1)[0]! };
    });
    return { name, error: new SourceError(problems, error.source) };
  });
}

/** A part of a plan, and its problems. */
interface Planned<T> {
  readonly plan: T;
  readonly problems: readonly SourceProblem[];
}

/** Returns a function that plans a build; the builds share the parts that are the same. */
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
