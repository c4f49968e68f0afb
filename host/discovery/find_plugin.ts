// Finding a plugin: from the kind and name of a component to the executable
// that serves it, and the reason why it is that one.

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

/** Where plugins are looked for. */
export interface PluginSources {
  /** The template, where there is one. */
  readonly template?: {
    readonly plugins: PluginTable;
    readonly directory: string;
  };
  /** The core configuration. */
  readonly coreConfig: CoreConfig;
  /** The directories, in the order in which they are searched. */
  readonly directories: readonly PluginDirectory[];
  /** What comes with baler. */
  readonly bundled: BundledPlugin;
  /** Packer's plugins, where they are looked for. */
  readonly packer?: PackerPlugins;
}

/** The plugin that comes with baler, and serves many components. */
export interface BundledPlugin {
  /** How it is started. */
  readonly argv: PluginCommand;
  /** What its process is called. */
  readonly process: string;
  /** By kind, the names of its components. */
  readonly names: Readonly<Partial<Record<string, readonly string[]>>>;
}

/** A plugin that was found. */
export interface FoundPlugin {
  /** How it is started. */
  readonly argv: PluginCommand;
  /** What it is called in the log: its path as configured or found, or the bundled one's name. */
  readonly label: string;
  /** What its process is called, where that has a name of its own. */
  readonly process?: string;
  /** The component to ask it for; "" where only its path is known. */
  readonly name: string;
  /** Who says that it is this one, for example `"template.json:4"`. */
  readonly source: string;
  /** What its process is asked for, where that is not its name. */
  readonly request?: string;
  /**
   * True for a plugin of Packer's, which an adapter runs. It interpolates its
   * configuration itself, so it is given all user variables, not only those that
   * its configuration reads.
   */
  readonly isPackers?: boolean;
  /** Why it cannot be used, as the end of a sentence that begins with its label. */
  readonly obstacle?: string;
}

/** A plugin as `baler plugins` lists it. */
export interface ListedPlugin extends FoundPlugin {
  /** The kind of component. */
  readonly kind: PluginKind;
  /** What would be used if this one were not there, the first first. */
  readonly shadows: readonly FoundPlugin[];
}

/**
 * Finds the plugin that serves a component. The first of these that has it:
 * the type itself where it is a path, the template's `plugins`, the core
 * configuration, what comes with baler, the directories, and Packer's plugins. A
 * file in a directory never replaces what comes with baler; a path or `plugins`
 * does.
 *
 * @param kind The kind of component.
 * @param type Its type as the template has it.
 * @param sources Where plugins are looked for.
 * @throws {Error} When there is none, with where was looked and what is like it.
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
 * @param sources Where plugins are looked for.
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
 * The plugin that a builder of a template names itself.
 *
 * @param kind The kind of component.
 * @param type Its type.
 * @param argv How it is started.
 * @param source Who says so, for example `"template.json:4"`.
 * @param adapter What runs a plugin of Packer's.
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
  const who = byTemplate ? "" : "core configuration ";
  return {
    argv,
    label: argv.join(" "),
    name,
    source: `${who}${source}:${line}`,
  };
}

const read = new WeakMap<PluginDirectory, PluginFile[]>();

/** A directory is read once, however many components a template has. */
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
  lines.push("looked for:");
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
      : `put its executable into one of the directories, or name its path; "baler plugins" lists what there is`,
  );
  return lines.join("\n");
}

/** What looks like the plugin, and why it is none. */
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
