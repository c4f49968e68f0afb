// The plan: a template, its variables and what the command line says, turned
// into what each build is made of.

import type { BuildContext } from "../plugin/build_context.ts";
import { VERSION } from "../plugin/version.ts";
import type {
  BuildPlan,
  ComponentPlan,
  PostProcessorPlan,
  ProvisionerPlan,
} from "./build.ts";
import { PACKER_VERSION } from "./environment.ts";
import {
  findPlugin,
  type FoundPlugin,
  namedPlugin,
  type PluginSources,
} from "./find_plugin.ts";
import type { LaunchOptions } from "./launch.ts";
import { locatedConfigError } from "./located_config_error.ts";
import type { PluginKind } from "./plugin_table.ts";
import { pluginSources } from "./plugin_sources.ts";
import { pluginEnvironment } from "./plugin_environment.ts";
import { pluginTimes } from "./plugin_times.ts";
import type { Redactor } from "./redactor.ts";
import {
  selectBuilds,
  type SelectedBuild,
  type SelectedProvisioner,
} from "./selection.ts";
import { SourceError, type SourceProblem } from "./source_error.ts";
import {
  type PostProcessorEntry,
  readTemplate,
  type Template,
} from "./template.ts";
import { resolveVariables, type VariableOptions } from "./variables.ts";

/** What the command line says of a run. */
export interface PlanOptions extends VariableOptions {
  /** The patterns of `-only`. */
  only: readonly string[];
  /** The patterns of `-except`. */
  except: readonly string[];
  /** The folders of `-plugin-dir`. */
  pluginDir: readonly string[];
  /** How the builds are to run. */
  run: Pick<BuildContext, "debug" | "force" | "onError">;
  /** Learns the values that must not be seen. */
  redactor: Redactor;
}

/** A build that cannot be. The others can all the same. */
export interface RefusedBuild {
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
  refused: RefusedBuild[];
  /** Patterns of `-only` and `-except` that match nothing. */
  unmatched: readonly string[];
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
  const finder = new Finder(
    template,
    await pluginSources({ template, pluginDir: options.pluginDir }),
  );
  const contextOf = (build: SelectedBuild): BuildContext => ({
    name: build.name,
    type: build.builder.type,
    ...(template.path === undefined ? {} : { templatePath: template.path }),
    workingDirectory: Deno.cwd(),
    userVariables: variables.values,
    sensitiveVariables: variables.sensitive,
    ...options.run,
    coreVersion: VERSION,
    packerVersion: PACKER_VERSION,
    startedAt,
  });
  const plans = await Promise.all(
    selection.builds.map((build) => planOf(build, contextOf(build), finder)),
  );
  return {
    template,
    builds: plans.filter((plan) => "context" in plan),
    refused: toldOnce(plans.filter((plan) => "error" in plan)),
    unmatched: selection.unmatched,
    launch: {
      ...pluginTimes(),
      env: {
        ...pluginEnvironment(),
        // By it a manifest tells the artifacts of one run from those of another.
        PACKER_RUN_UUID: crypto.randomUUID(),
      },
    },
  };
}

/** What is wrong with several builds is told at length once. */
function toldOnce(refused: readonly RefusedBuild[]): RefusedBuild[] {
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

async function planOf(
  build: SelectedBuild,
  context: BuildContext,
  shared: Finder,
): Promise<BuildPlan | RefusedBuild> {
  const { builder, errorCleanupProvisioner } = build;
  const problems = build.problems.flatMap((error) => error.problems);
  const finder = shared.for(problems);
  const provisioner = async (
    entry: SelectedProvisioner,
  ): Promise<ProvisionerPlan> => ({
    ...await finder.component("provisioner", entry, (at) => entry.place(at)),
    pauseBefore: entry.pauseBefore,
    maxRetries: entry.maxRetries,
    timeout: entry.timeout,
  });
  const postProcessor = async (
    entry: PostProcessorEntry,
  ): Promise<PostProcessorPlan> => ({
    ...await finder.component("post-processor", entry),
    type: entry.type,
    ...(entry.keepInputArtifact === undefined
      ? {}
      : { keepInputArtifact: entry.keepInputArtifact }),
  });
  const [builderPlan, provisioners, cleanup, postProcessors] = await Promise
    .all([
      finder.component("builder", builder),
      Promise.all(build.provisioners.map(provisioner)),
      errorCleanupProvisioner && provisioner(errorCleanupProvisioner),
      Promise.all(
        build.postProcessors.map((sequence) =>
          Promise.all(sequence.map(postProcessor))
        ),
      ),
    ]);
  if (problems.length > 0) {
    const error = new SourceError(problems, shared.template.source);
    return { name: build.name, error };
  }
  return {
    context,
    builder: builderPlan,
    provisioners,
    ...(cleanup === undefined ? {} : { errorCleanupProvisioner: cleanup }),
    postProcessors,
  };
}

/** What a template says of one component. */
interface Entry {
  readonly type: string;
  readonly name?: string;
  readonly config: Record<string, unknown>;
  readonly at: readonly (string | number)[];
  readonly plugin?: readonly string[];
}

/** Finds the plugins of a template, and gathers what it does not find. */
class Finder {
  readonly template: Template;
  readonly #sources: PluginSources;
  readonly #problems: SourceProblem[];

  constructor(
    template: Template,
    sources: PluginSources,
    problems: SourceProblem[] = [],
  ) {
    this.template = template;
    this.#sources = sources;
    this.#problems = problems;
  }

  /** One that gathers into a list of its own. */
  for(problems: SourceProblem[]): Finder {
    return new Finder(this.template, this.#sources, problems);
  }

  async component(
    kind: PluginKind,
    entry: Entry,
    place: (
      path: readonly (string | number)[],
    ) => readonly (string | number)[] = (path) => [...entry.at, ...path],
  ): Promise<ComponentPlan> {
    const plugin = await this.#find(kind, entry);
    return {
      name: entry.name ?? entry.type,
      plugin,
      config: entry.config,
      locate: (error) =>
        locatedConfigError(
          error,
          this.template.document,
          place,
          plugin.source,
        ),
    };
  }

  async #find(kind: PluginKind, entry: Entry): Promise<FoundPlugin> {
    try {
      if (entry.plugin === undefined) {
        return await findPlugin(kind, entry.type, this.#sources);
      }
      const { source, document } = this.template;
      const { line } = document.locate(entry.at);
      return namedPlugin(kind, entry.type, entry.plugin, `${source}:${line}`);
    } catch (error) {
      this.#problems.push({
        message: (error as Error).message,
        location: this.template.document.locate([...entry.at, "type"]),
      });
      // Never used: a build with a problem is refused.
      return { argv: [], label: "", name: "", source: "" };
    }
  }
}
