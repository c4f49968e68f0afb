// Resolves the components of a template to the plugins that serve them, and
// collects the problems with their positions.

import type { ComponentPlan } from "./build_plan.ts";
import {
  findPlugin,
  type FoundPlugin,
  namedPlugin,
  type PluginSources,
} from "../discovery/find_plugin.ts";
import { fixesKey } from "../template/fixes.ts";
import { locatedConfigError } from "./locate_config_error.ts";
import { trustWarning } from "../discovery/plugin_trust.ts";
import type { PluginKind } from "../discovery/plugin_table.ts";
import type { SourceProblem } from "../json/source_error.ts";
import type { ResolvedVariables } from "../template/variables.ts";
import { allVariables, variablesReadBy } from "./component_variables.ts";
import type { Template } from "../template/template.ts";

/** The entry of a component in a template. */
export interface ComponentEntry {
  readonly type: string;
  readonly name?: string;
  readonly config: Record<string, unknown>;
  readonly at: readonly (string | number)[];
  readonly plugin?: readonly string[];
}

/** Finds the plugins of a template, and collects the problems. */
export class ComponentFinder {
  /** The template. */
  readonly template: Template;
  readonly #variables: ResolvedVariables;
  readonly #sources: PluginSources;
  readonly #problems: SourceProblem[];
  /** The plugins that were found, by their commands. */
  readonly #found: Map<string, FoundPlugin>;

  /**
   * @param template The template.
   * @param variables The values of its variables.
   * @param sources The sources of plugins.
   * @param problems Collects the problems.
   * @param found Collects the plugins that are found.
   */
  constructor(
    template: Template,
    variables: ResolvedVariables,
    sources: PluginSources,
    problems: SourceProblem[] = [],
    found = new Map<string, FoundPlugin>(),
  ) {
    this.template = template;
    this.#variables = variables;
    this.#sources = sources;
    this.#problems = problems;
    this.#found = found;
  }

  /** Returns a finder that collects problems in another list. */
  for(problems: SourceProblem[]): ComponentFinder {
    return new ComponentFinder(
      this.template,
      this.#variables,
      this.#sources,
      problems,
      this.#found,
    );
  }

  /**
   * Returns the plan of a component. If its plugin is not found, a problem is
   * added, and the plan must not be used.
   *
   * @param kind The kind of component.
   * @param entry Its entry in the template.
   * @param place Returns the path of a key of its configuration in the template.
   */
  async component(
    kind: PluginKind,
    entry: ComponentEntry,
    place: (
      path: readonly (string | number)[],
    ) => readonly (string | number)[] = (path) => [...entry.at, ...path],
  ): Promise<ComponentPlan> {
    const plugin = await this.#find(kind, entry);
    this.#found.set(plugin.argv.join("\0"), plugin);
    return {
      name: entry.name ?? entry.type,
      plugin,
      config: entry.config,
      variables: plugin.isPackers
        ? allVariables(this.#variables)
        : variablesReadBy(entry.config, this.#variables),
      locate: (error) =>
        locatedConfigError(
          error,
          this.template.document,
          place,
          plugin.source,
          (key) => fixesKey(kind, entry.type, entry.config, key),
        ),
    };
  }

  /** The warnings about found plugins that other users can replace. */
  get warnings(): string[] {
    return [...this.#found.values()].flatMap((plugin) =>
      trustWarning(plugin) ?? []
    );
  }

  async #find(kind: PluginKind, entry: ComponentEntry): Promise<FoundPlugin> {
    try {
      if (entry.plugin === undefined) {
        return await findPlugin(kind, entry.type, this.#sources);
      }
      const { source, document } = this.template;
      const { line } = document.locate(entry.at);
      return namedPlugin(
        kind,
        entry.type,
        entry.plugin,
        `${source}:${line}`,
        this.#sources.packer?.adapter,
      );
    } catch (error) {
      this.#problems.push({
        message: (error as Error).message,
        location: this.template.document.locate([...entry.at, "type"]),
      });
      // Not used: a build with a problem does not run.
      return { argv: [], label: "", name: "", source: "" };
    }
  }
}
