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
import { SourceError } from "./source_error.ts";
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

/** What a template comes to. */
export interface TemplatePlan {
  template: Template;
  /** The builds, by name. */
  builds: BuildPlan[];
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
 * @throws {SourceError} When something in the template is wrong.
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
  const builds = await Promise.all(
    selection.builds.map((build) => planOf(build, contextOf(build), finder)),
  );
  finder.throwProblems();
  return {
    template,
    builds,
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

async function planOf(
  build: SelectedBuild,
  context: BuildContext,
  finder: Finder,
): Promise<BuildPlan> {
  const { builder, errorCleanupProvisioner } = build;
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
  readonly #template: Template;
  readonly #sources: PluginSources;
  readonly #problems = new Map<string, SourceError>();

  constructor(template: Template, sources: PluginSources) {
    this.#template = template;
    this.#sources = sources;
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
          this.#template.document,
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
      const { source, document } = this.#template;
      const { line } = document.locate(entry.at);
      return namedPlugin(kind, entry.type, entry.plugin, `${source}:${line}`);
    } catch (error) {
      const key = JSON.stringify(entry.at);
      this.#problems.set(
        key,
        SourceError.at(
          this.#template.document,
          [...entry.at, "type"],
          (error as Error).message,
        ),
      );
      // Never used: the problem is thrown before anything is built.
      return { argv: [], label: "", name: "", source: "" };
    }
  }

  /** @throws {SourceError} With all that was not found, if anything. */
  throwProblems(): void {
    const problems = [...this.#problems.values()].flatMap((error) =>
      error.problems
    );
    if (problems.length > 0) {
      throw new SourceError(problems, this.#template.source);
    }
  }
}
