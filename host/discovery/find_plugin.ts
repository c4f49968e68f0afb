// Finds the plugin that serves a component, by the component's kind and name, and
// records why it is that plugin.

import { basename, join, resolve } from "@std/path";
import { nearest } from "../../plugin/common/did_you_mean.ts";
import type { CoreConfig } from "./core_config.ts";
import type { PluginDirectory } from "./plugin_directories.ts";
import { filesOf, type PluginFile } from "./plugin_directory.ts";
import { isPackerPlugin } from "./packer_adapter.ts";
import { adaptedPlugin, type PackerPlugins } from "./packer_plugins.ts";
import {
  isPath,
  PLUGIN_KINDS,
  type PluginCommand,
  type PluginKind,
  type PluginTable,
  type PluginTableEntry,
} from "./plugin_table.ts";

/** The sources of plugins. */
export interface PluginSources {
  /** The template, if there is one. */
  readonly template?: {
    readonly plugins: PluginTable;
    readonly directory: string;
  };
  /** The core configuration. */
  readonly coreConfig: CoreConfig;
  /** The directories, in the order in which they are searched. */
  readonly directories: readonly PluginDirectory[];
  /** The bundled plugin. */
  readonly bundled: BundledPlugin;
  /** Packer's plugins, if they are searched. */
  readonly packer?: PackerPlugins;
}

/** The bundled plugin, which serves many components. */
export interface BundledPlugin {
  /** The command that starts it. */
  readonly argv: PluginCommand;
  /** The name of its process. */
  readonly process: string;
  /** The names of its components by kind. */
  readonly names: Readonly<Partial<Record<string, readonly string[]>>>;
}

/** A plugin that was found. */
export interface FoundPlugin {
  /** The command that starts it. */
  readonly argv: PluginCommand;
  /** Its name in the log: its path as configured or found, or the name of the bundled component. */
  readonly label: string;
  /** The name of its process, if it differs from the label. */
  readonly process?: string;
  /** The component that it serves; "" when only its path is known. */
  readonly name: string;
  /** What selected it, for example `"template.json:4"`. */
  readonly source: string;
  /** The component name to pass to its process, if it differs from the name. */
  readonly request?: string;
  /**
   * True for a plugin of Packer's, which an adapter runs. It interpolates its
   * configuration itself, so it gets all user variables, not only those that its
   * configuration reads.
   */
  readonly isPackers?: boolean;
  /** Why it cannot be used, as a predicate whose subject is its label. */
  readonly obstacle?: string;
}

/** A plugin as `baler plugins` lists it. */
export interface ListedPlugin extends FoundPlugin {
  /** The kind of component. */
  readonly kind: PluginKind;
  /** The plugins that this one takes precedence over, in order. */
  readonly shadows: readonly FoundPlugin[];
}

/**
 * Finds the plugin that serves a component. The sources in order of precedence: the
 * type itself if it is a path, the template's `plugins`, the core configuration,
 * the bundled plugin, the directories, and Packer's plugins. A file in a directory
 * never replaces a bundled component; a path or `plugins` does.
 *
 * @param kind The kind of component.
 * @param type Its type in the template.
 * @param sources The sources of plugins.
 * @throws {Error} When there is none, with the places that were searched and the
 * most similar name.
 */
export async function findPlugin(
  kind: PluginKind,
  type: string,
  sources: PluginSources,
): Promise<FoundPlugin> {
  if (isPath(type)) {
    const path = resolve(sources.template?.directory ?? Deno.cwd(), type);
    return usable(pluginAtPath(kind, path, sources.packer?.adapter));
  }
  for (const found of candidates(kind, type, sources)) return found;
  const packers = await sources.packer?.find(kind, type);
  if (packers !== undefined) return usable(packers);
  throw new Error(await notFound(kind, type, sources));
}

/**
 * Lists every plugin that can be found by name.
 *
 * @param sources The sources of plugins.
 * @returns The plugins, by kind and then by name.
 */
export function listPlugins(sources: PluginSources): ListedPlugin[] {
  return [...PLUGIN_KINDS.keys()].flatMap((kind) =>
    knownNames(kind, sources).flatMap((name): ListedPlugin[] => {
      const [used, ...shadows] = candidates(kind, name, sources);
      return used === undefined ? [] : [{ kind, ...used, shadows }];
    })
  );
}

/**
 * Returns the plugin that a builder of a template names.
 *
 * @param kind The kind of component.
 * @param type Its type.
 * @param argv The command that starts the plugin.
 * @param source What selected it, for example `"template.json:4"`.
 * @param adapter The command of the adapter for Packer's plugins.
 * @throws {Error} When it is a plugin of Packer's, and there is no adapter.
 */
export function namedPlugin(
  kind: PluginKind,
  type: string,
  argv: PluginCommand,
  source: string,
  adapter?: PluginCommand,
): FoundPlugin {
  const plugin = { argv, label: argv.join(" "), name: type, source };
  return usable(adaptedIfPackers(kind, plugin, adapter));
}

function adaptedIfPackers(
  kind: PluginKind,
  plugin: FoundPlugin,
  adapter: PluginCommand | undefined,
): FoundPlugin {
  return isPackerPlugin(kind, plugin.argv)
    ? adaptedPlugin(plugin, adapter)
    : plugin;
}

function usable(plugin: FoundPlugin): FoundPlugin {
  const { label, obstacle, source } = plugin;
  if (obstacle === undefined) return plugin;
  throw new Error(`${source}: ${label} ${obstacle}`);
}

function pluginAtPath(
  kind: PluginKind,
  path: string,
  adapter: PluginCommand | undefined,
): FoundPlugin {
  const name = new RegExp(`^(?:baler|packer)-${kind}-(.+?)(?:\\.exe)?$`).exec(
    basename(path),
  );
  const plugin = {
    argv: [path],
    label: path,
    name: name?.[1] ?? "",
    source: 'its "type"',
  };
  return adaptedIfPackers(kind, plugin, adapter);
}

function* candidates(
  kind: PluginKind,
  name: string,
  sources: PluginSources,
): Generator<FoundPlugin> {
  for (const found of allCandidates(kind, name, sources)) {
    if (found.obstacle === undefined) yield found;
  }
}

function* allCandidates(
  kind: PluginKind,
  name: string,
  sources: PluginSources,
): Generator<FoundPlugin> {
  for (const table of [sources.template?.plugins, sources.coreConfig.plugins]) {
    const entry = table?.[kind].get(name);
    if (entry !== undefined) {
      const isOfTemplate = table === sources.template?.plugins;
      const plugin = configured(name, entry, isOfTemplate);
      yield adaptedIfPackers(kind, plugin, sources.packer?.adapter);
    }
  }
  const { argv, process, names } = sources.bundled;
  if (names[kind]?.includes(name)) {
    yield {
      argv,
      label: `baler-${kind}-${name}`,
      process,
      name,
      source: "bundled",
    };
  }
  for (const directory of sources.directories) {
    const file = filesIn(directory).find((file) =>
      file.kind === kind && file.name === name && file.obstacle === undefined
    );
    if (file !== undefined) {
      const plugin = {
        argv: [file.path],
        label: file.path,
        name,
        source: `${directory.reason} ${directory.path}`,
      };
      yield adaptedIfPackers(kind, plugin, sources.packer?.adapter);
    }
  }
}

function configured(
  name: string,
  { argv, source, line }: PluginTableEntry,
  byTemplate: boolean,
): FoundPlugin {
  const prefix = byTemplate ? "" : "core configuration ";
  return {
    argv,
    label: argv.join(" "),
    name,
    source: `${prefix}${source}:${line}`,
  };
}

const read = new WeakMap<PluginDirectory, PluginFile[]>();

/** Returns the files of a directory, which is read only once. */
function filesIn(directory: PluginDirectory): PluginFile[] {
  let files = read.get(directory);
  if (files === undefined) {
    files = filesOf(directory.path);
    read.set(directory, files);
  }
  return files;
}

function knownNames(kind: PluginKind, sources: PluginSources): string[] {
  const names = new Set<string>([
    ...sources.template?.plugins[kind].keys() ?? [],
    ...sources.coreConfig.plugins[kind].keys(),
    ...sources.directories.flatMap((directory) =>
      filesIn(directory).filter((file) => file.kind === kind).map(({ name }) =>
        name
      )
    ),
    ...sources.bundled.names[kind] ?? [],
  ]);
  return [...names].sort();
}

async function notFound(
  kind: PluginKind,
  type: string,
  sources: PluginSources,
): Promise<string> {
  const lines = [`Unknown ${kind} ${type}: no plugin serves it`];
  const near = await nearest(
    type,
    [...knownNames(kind, sources), ...sources.packer?.names(kind) ?? []]
      .filter((name) => name !== type),
  );
  if (near !== undefined) lines[0] += `; did you mean "${near}"?`;
  lines.push("searched for:");
  const plural = PLUGIN_KINDS.get(kind)!;
  if (sources.template !== undefined) {
    lines.push(`    "${type}" in the template's "plugins", "${plural}"`);
  }
  if (sources.coreConfig.source !== undefined) {
    lines.push(`    "${type}" in "${plural}" of ${sources.coreConfig.source}`);
  }
  for (const { path, reason } of sources.directories) {
    lines.push(`    ${join(path, `baler-${kind}-${type}`)} (${reason})`);
  }
  lines.push(...obstacles(kind, type, sources));
  lines.push(
    /[/\\]/.test(type)
      ? "a type that is a path starts with /, ./ or ../"
      : `put its executable into one of the directories, or give its path; "baler plugins" lists the available plugins`,
  );
  return lines.join("\n");
}

/** Explains why files that are named like the plugin cannot be used. */
function obstacles(
  kind: PluginKind,
  type: string,
  sources: PluginSources,
): string[] {
  const files: PluginFile[] = sources.directories.flatMap(filesIn)
    .filter((file) => file.kind === kind && file.name === type);
  const lines = files.flatMap(({ path, obstacle }) =>
    obstacle === undefined ? [] : [`${path} ${obstacle}`]
  );
  for (const { label, obstacle } of allCandidates(kind, type, sources)) {
    if (obstacle !== undefined) lines.push(`${label} ${obstacle}`);
  }
  return lines;
}
