// The selection: which builds a template comes to under -only and -except,
// and which provisioners and post-processors each of them gets, with what
// configuration.

import { join } from "@std/path";
import {
  interpolate,
  type InterpolationContext,
} from "../../plugin/interpolate/mod.ts";
import { type JsonPath, SourceError } from "../json/json_document.ts";
import { matchName } from "./name_pattern.ts";
import type {
  BuilderEntry,
  PostProcessorEntry,
  ProvisionerEntry,
  Template,
} from "../template/template.ts";
import { deepMerge } from "./merge_override.ts";
import { memoize } from "./memoize.ts";
import { describeType, isObject, type JsonObject } from "../json/json_value.ts";

/** What a user asks for. */
export interface SelectionOptions {
  /** The patterns of `-only`: only builds whose name matches one. */
  readonly only?: readonly string[];
  /** The patterns of `-except`: no build and no post-processor whose name matches one. */
  readonly except?: readonly string[];
  /** When the host started, for `timestamp` and `isotime` in names. */
  readonly startedAt?: Date;
}

/** A provisioner as one build gets it. */
export interface SelectedProvisioner
  extends Omit<ProvisionerEntry, "maxRetries"> {
  /** How often it is tried again when it fails. */
  readonly maxRetries: number;
  /** What is wrong with it; a build that gets it cannot be built then. */
  readonly problems: readonly SourceError[];
  /**
   * Where a key of its configuration stands in the template's document: in
   * its `override` for this build where that has it.
   */
  pathOf(path: JsonPath): JsonPath;
}

/** A build of a template. */
export interface SelectedBuild {
  /** Its name, interpolated. */
  readonly name: string;
  /** Its builder. */
  readonly builder: BuilderEntry;
  /** The provisioners that it gets, in the order in which they run. */
  readonly provisioners: readonly SelectedProvisioner[];
  /** What runs when one of them failed. */
  readonly errorCleanupProvisioner?: SelectedProvisioner;
  /** The sequences of post-processors that it gets. */
  readonly postProcessors: readonly (readonly PostProcessorEntry[])[];
}

/** What a template comes to. */
export interface Selection {
  /** The builds, by name. */
  readonly builds: readonly SelectedBuild[];
  /** The patterns that match nothing. Packer passes over them in silence. */
  readonly unmatched: readonly string[];
}

/**
 * Selects the builds of a template.
 *
 * @param template The template.
 * @param values The values of its variables.
 * @param options What the user asks for. A pattern is a name, or has `*`,
 * `?`, `[...]` or `{a,b}` in it.
 * @throws {SourceError} When a name cannot be interpolated, or two builds
 * come to have the same one.
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
    // The names of all builds share the limit of one text.
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
  const plain = memoize((entry: ProvisionerEntry) =>
    selectedProvisioner(entry, undefined, retries(entry), template)
  );
  const provisionerOf = (entry: ProvisionerEntry, { name }: BuilderEntry) =>
    Object.hasOwn(entry.override, name)
      ? selectedProvisioner(entry, name, retries(entry), template)
      : plain(entry);
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
  // A thousand builds that get the same share one list of it.
  const overridden = new Set(
    template.provisioners.flatMap(({ override }) => Object.keys(override)),
  );
  const plainList = memoize((entries: readonly ProvisionerEntry[]) =>
    entries.map(plain)
  );
  const stepNames = new Set(template.postProcessors.flat().flatMap(namedBy));
  const sequencesOf = (name: string) =>
    sequences
      .map((sequence) => truncateAtExcepted(sequence.get(name)!, excepted))
      .filter((sequence) => sequence.length > 0);
  let plainSequences: (readonly PostProcessorEntry[])[] | undefined;
  const builds = selected.map(([name, builder]): SelectedBuild => {
    const cleanup = template.errorCleanupProvisioner;
    return {
      name,
      builder,
      provisioners: overridden.has(builder.name)
        ? provisioners.get(builder.name)!
          .map((entry) => provisionerOf(entry, builder))
        : plainList(provisioners.get(builder.name)!),
      ...(cleanup && {
        errorCleanupProvisioner: provisionerOf(cleanup, builder),
      }),
      postProcessors: stepNames.has(builder.name)
        ? sequencesOf(builder.name)
        : plainSequences ??= sequencesOf(builder.name),
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
        `builder with name '${name}' already exists: '${other.name}' and '${builder.name}' come to the same; give one another "name"`,
      );
    }
    builders.set(name, builder);
  }
  return builders;
}

/**
 * The entries that each builder gets. As in Packer, `only` and `except` speak
 * of builders by their names before interpolation.
 */
function byBuilder<
  Entry extends { only: readonly string[]; except: readonly string[] },
>(
  entries: readonly Entry[],
  builders: readonly string[],
): Map<string, Entry[]> {
  const isNamed = new Set(entries.flatMap(namedBy));
  const common = entries.filter(({ only }) => only.length === 0);
  const found = new Map(
    builders.map((
      name,
    ): [string, Entry[]] => [name, isNamed.has(name) ? [] : common]),
  );
  const named = builders.filter((name) => isNamed.has(name));
  for (const entry of entries) {
    const except = new Set(entry.except);
    const names = entry.only.length > 0
      ? new Set(entry.only)
      : named.filter((name) => !except.has(name));
    for (const name of names) found.get(name)?.push(entry);
  }
  return found;
}

function namedBy(
  { only, except }: { only: readonly string[]; except: readonly string[] },
): readonly string[] {
  return [...only, ...except];
}

/** What a build gets of a sequence: up to the first that -except names, as in Packer. */
function truncateAtExcepted(
  sequence: readonly PostProcessorEntry[],
  excepted: ReadonlySet<PostProcessorEntry>,
): readonly PostProcessorEntry[] {
  const end = sequence.findIndex((entry) => excepted.has(entry));
  return end < 0 ? sequence : sequence.slice(0, end);
}

function readRetries(
  { at, maxRetries }: ProvisionerEntry,
  template: Template,
  context: InterpolationContext,
): number | SourceError {
  if (maxRetries === "") return 0;
  const path = [...at, "max_retries"];
  let text: string;
  try {
    text = interpolate(maxRetries, context);
  } catch (error) {
    return SourceError.at(
      template.document,
      path,
      `failed to interpolate \`max_retries\`: ${(error as Error).message}`,
    );
  }
  if (!/^[+-]?\d+$/.test(text)) {
    return SourceError.at(
      template.document,
      path,
      `\`max_retries\` must be a valid integer, not ${
        JSON.stringify(text)
      }; write it like 3`,
    );
  }
  // Packer tries again until the count is used up, which a negative one is at once.
  return Math.max(0, Number(text));
}

function overrideOf(
  { at, override }: ProvisionerEntry,
  builder: string,
  template: Template,
): JsonObject | SourceError {
  const own = Object.hasOwn(override, builder) ? override[builder] : null;
  if (own === null) return {};
  if (isObject(own)) return own;
  return SourceError.at(
    template.document,
    [...at, "override", builder],
    `override '${builder}' expected a map, got ${describeType(own)}`,
  );
}

/** A provisioner as a build gets it that it has an `override` for, or as all others do. */
function selectedProvisioner(
  entry: ProvisionerEntry,
  builder: string | undefined,
  maxRetries: number | SourceError,
  template: Template,
): SelectedProvisioner {
  const override = builder === undefined
    ? {}
    : overrideOf(entry, builder, template);
  const overrides = override instanceof SourceError ? {} : override;
  return {
    ...entry,
    config: deepMerge(entry.config, overrides) as JsonObject,
    maxRetries: typeof maxRetries === "number" ? maxRetries : 0,
    problems: [maxRetries, override].filter((one) =>
      one instanceof SourceError
    ),
    pathOf: (path) =>
      path.length > 0 && Object.hasOwn(overrides, path[0]!)
        ? [...entry.at, "override", builder!, ...path]
        : [...entry.at, ...path],
  };
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
