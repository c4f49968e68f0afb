// Selects the builds of a template under -only and -except, with the provisioners
// and post-processors of each.

import { join } from "@std/path";
import {
  interpolate,
  type InterpolationContext,
} from "../../plugin/interpolate/mod.ts";
import { SourceError } from "../json/json_document.ts";
import {
  byBuilder,
  namedBy,
  truncateAtExcepted,
} from "./entries_by_builder.ts";
import { matchName } from "./name_pattern.ts";
import type {
  BuilderEntry,
  PostProcessorEntry,
  ProvisionerEntry,
  Template,
} from "../template/template.ts";
import { memoize } from "./memoize.ts";
import {
  readRetries,
  type SelectedProvisioner,
  selectedProvisioner,
} from "./select_provisioner.ts";

/** The options of a selection. */
export interface SelectionOptions {
  /** The patterns of `-only`: only builds whose name matches one are selected. */
  readonly only?: readonly string[];
  /** The patterns of `-except`: builds and post-processors whose name matches one are left out. */
  readonly except?: readonly string[];
  /** When the host started, for `timestamp` and `isotime` in names. */
  readonly startedAt?: Date;
}

/** A build of a template. */
export interface SelectedBuild {
  /** Its name, interpolated. */
  readonly name: string;
  /** Its builder. */
  readonly builder: BuilderEntry;
  /** Its provisioners, in the order in which they run. */
  readonly provisioners: readonly SelectedProvisioner[];
  /** The provisioner that runs after one of them has failed. */
  readonly errorCleanupProvisioner?: SelectedProvisioner;
  /** Its sequences of post-processors. */
  readonly postProcessors: readonly (readonly PostProcessorEntry[])[];
}

/** The selected builds of a template. */
export interface Selection {
  /** The builds, sorted by name. */
  readonly builds: readonly SelectedBuild[];
  /** The patterns that match nothing, which Packer ignores silently. */
  readonly unmatched: readonly string[];
}

/**
 * Selects the builds of a template.
 *
 * @param template The template.
 * @param values The values of its variables.
 * @param options The patterns. A pattern is a name that may contain `*`, `?`,
 * `[...]` and `{a,b}`.
 * @throws {SourceError} When a name cannot be interpolated, or two builds have the
 * same name after interpolation.
 */
export function selectBuilds(
  template: Template,
  values: Readonly<Record<string, string>>,
  options: SelectionOptions = {},
): Selection {
  const context: InterpolationContext = {
    userVariables: values,
    templatePath: template.path ?? join(template.directory, "-"),
    initTime: options.startedAt,
    // The names of all builds share the budget of one string.
    budget: { steps: 0 },
  };
  const builders = namedBuilders(template, context);
  const { only = [], except = [] } = options;
  const selected = [...builders].filter(([name]) =>
    (only.length === 0 || only.some((pattern) => matchName(pattern, name))) &&
    !except.some((pattern) => matchName(pattern, name))
  );
  const retries = memoize((entry: ProvisionerEntry) =>
    readRetries(entry, template, context)
  );
  const withoutOverride = memoize((entry: ProvisionerEntry) =>
    selectedProvisioner(entry, undefined, retries(entry), template)
  );
  const provisionerOf = (entry: ProvisionerEntry, { name }: BuilderEntry) =>
    Object.hasOwn(entry.override, name)
      ? selectedProvisioner(entry, name, retries(entry), template)
      : withoutOverride(entry);
  const excepted = new Set(
    template.postProcessors.flat().filter(({ name }) =>
      except.some((pattern) => matchName(pattern, name))
    ),
  );
  const rawNames = template.builders.map(({ name }) => name);
  const provisioners = byBuilder(template.provisioners, rawNames);
  const sequences = template.postProcessors.map((sequence) =>
    byBuilder(sequence, rawNames)
  );
  // Builds without an override share one list of provisioners.
  const overridden = new Set(
    template.provisioners.flatMap(({ override }) => Object.keys(override)),
  );
  const listWithoutOverride = memoize((entries: readonly ProvisionerEntry[]) =>
    entries.map(withoutOverride)
  );
  const stepNames = new Set(template.postProcessors.flat().flatMap(namedBy));
  const sequencesOf = (name: string) =>
    sequences
      .map((sequence) => truncateAtExcepted(sequence.get(name)!, excepted))
      .filter((sequence) => sequence.length > 0);
  /** The sequences of the builds that no post-processor names. */
  let commonSequences: (readonly PostProcessorEntry[])[] | undefined;
  const builds = selected.map(([name, builder]): SelectedBuild => {
    const cleanup = template.errorCleanupProvisioner;
    return {
      name,
      builder,
      provisioners: overridden.has(builder.name)
        ? provisioners.get(builder.name)!
          .map((entry) => provisionerOf(entry, builder))
        : listWithoutOverride(provisioners.get(builder.name)!),
      ...(cleanup && {
        errorCleanupProvisioner: provisionerOf(cleanup, builder),
      }),
      postProcessors: stepNames.has(builder.name)
        ? sequencesOf(builder.name)
        : commonSequences ??= sequencesOf(builder.name),
    };
  });
  builds.sort((a, b) => a.name < b.name ? -1 : 1);
  return {
    builds,
    unmatched: unmatchedOf(template, [...builders.keys()], only, except),
  };
}

function namedBuilders(
  template: Template,
  context: InterpolationContext,
): Map<string, BuilderEntry> {
  const builders = new Map<string, BuilderEntry>();
  for (const builder of template.builders) {
    let name: string;
    try {
      name = interpolate(builder.name, context);
    } catch (error) {
      throw SourceError.at(
        template.document,
        [...builder.at, "name"],
        `Error interpolating builder '${builder.name}': ${
          (error as Error).message
        }`,
      );
    }
    const other = builders.get(name);
    if (other !== undefined) {
      throw SourceError.at(
        template.document,
        [...builder.at, "name"],
        `builder with name '${name}' already exists: '${other.name}' and '${builder.name}' are the same after interpolation; give one another "name"`,
      );
    }
    builders.set(name, builder);
  }
  return builders;
}

function unmatchedOf(
  template: Template,
  names: readonly string[],
  only: readonly string[],
  except: readonly string[],
): string[] {
  const steps = template.postProcessors.flat().map(({ name }) => name);
  const matchesNone = (known: readonly string[]) => (pattern: string) =>
    !known.some((name) => matchName(pattern, name));
  return [
    ...only.filter(matchesNone(names)),
    ...except.filter(matchesNone([...names, ...steps])),
  ];
}
