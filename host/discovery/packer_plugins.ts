// Finds Packer's plugins where Packer finds them: single executables, installed plugins, and the components
// that the packer executable serves itself. They have the lowest precedence.

import { DELIMITER, dirname, isAbsolute, join } from "@std/path";
import type { PluginDirectory } from "./plugin_directories.ts";
import type { FoundPlugin } from "./find_plugin.ts";
import {
  ADAPTER,
  adapterArgv,
  findExecutable,
  NO_ADAPTER,
  packerAdapter,
  pathDirectories,
} from "./packer_adapter.ts";
import {
  bundledByPacker,
  isBundledByPacker,
  packerCommand,
  packerVersion,
} from "./packer_bundled.ts";
import { describePackerPlugin } from "./packer_describe.ts";
import {
  installedObstacle,
  type InstalledPlugin,
  installedPlugins,
} from "./packer_installed.ts";
import {
  PLUGIN_KINDS,
  type PluginCommand,
  type PluginKind,
} from "./plugin_table.ts";

/** A plugin that serves several components. */
interface MultiPlugin extends Partial<InstalledPlugin> {
  readonly path: string;
  readonly name: string;
  /** Where it was found. */
  readonly source: string;
}

/** A component of a plugin of Packer's, as `baler plugins` lists it. */
export interface ListedPackerPlugin extends FoundPlugin {
  /** The kind of component. */
  readonly kind: PluginKind;
}

/** The kinds of component that Packer also has. */
const KINDS = ["builder", "provisioner", "post-processor"] as const;

/** Packer's plugins. */
export class PackerPlugins {
  readonly #directories: readonly PluginDirectory[];
  /** Directories of other programs, which contain no hierarchy of plugins and are not searched recursively. */
  readonly #programs: ReadonlySet<string>;
  #adapter: { command: PluginCommand | undefined } | undefined;
  #multi: MultiPlugin[] | undefined;
  #packer: Promise<{ path: string; version: string } | undefined> | undefined;

  /**
   * @param directories baler's own plugin directories. Packer's are searched after them.
   */
  constructor(directories: readonly PluginDirectory[]) {
    const packer = findExecutable("packer", pathDirectories());
    this.#programs = new Set(
      [Deno.execPath(), packer].flatMap((path) =>
        path === undefined ? [] : [dirname(path)]
      ),
    );
    const seen = new Set<string>();
    this.#directories = [...directories, ...packerDirectories(packer)].filter((
      { path },
    ) => !seen.has(path) && seen.add(path));
  }

  /** The command of the adapter; undefined when it is not found. */
  get adapter(): PluginCommand | undefined {
    this.#adapter ??= { command: packerAdapter(this.#directories) };
    return this.#adapter.command;
  }

  /**
   * Finds the plugin that serves a component.
   *
   * @param kind The kind of component.
   * @param type Its type in the template.
   * @throws {Error} When the plugin cannot be used, with the reason.
   */
  async find(
    kind: PluginKind,
    type: string,
  ): Promise<FoundPlugin | undefined> {
    if (!isPackerKind(kind)) return undefined;
    return this.#single(kind, type) ?? await this.#ofMulti(kind, type) ??
      await this.#bundled(kind, type);
  }

  /**
   * Whether a plugin probably serves a component; does not start any.
   *
   * @param kind The kind of component.
   * @param type Its type in the template.
   */
  isLikely(kind: PluginKind, type: string): boolean {
    const isPackers = isBundledByPacker(kind, type) &&
      findExecutable("packer", pathDirectories()) !== undefined;
    return isPackers ||
      this.names(kind).some((name) =>
        type === name || type.startsWith(`${name}-`)
      );
  }

  /** Lists the components of every plugin, except those that another plugin takes precedence over. */
  async list(): Promise<ListedPackerPlugin[]> {
    const listed: ListedPackerPlugin[] = [];
    for (const kind of KINDS) {
      for (const name of this.#singleNames(kind)) {
        listed.push({ kind, ...this.#single(kind, name)! });
      }
    }
    const newest = this.#multiPlugins().filter((plugin, index, all) =>
      all.findIndex(({ name }) => name === plugin.name) === index
    );
    const described = await Promise.all(newest.map(async (plugin) => {
      if (await obstacleOf(plugin) !== undefined) return [];
      const description = await describePackerPlugin(plugin.path, plugin.name);
      const source = plugin.origin === undefined
        ? `${description?.version}, ${plugin.source}`
        : plugin.source;
      return KINDS.flatMap((kind) =>
        (description?.components[kind] ?? []).map((name) => ({
          kind,
          ...this.#found(startArgv(plugin), plugin.path, name, source),
        }))
      );
    }));
    listed.push(...described.flat());
    const packer = await this.#findPacker();
    if (packer !== undefined) {
      for (const kind of KINDS) {
        for (const name of bundledByPacker(kind, packer.version)) {
          listed.push({ kind, ...this.#ofPacker(name, packer) });
        }
      }
    }
    return listed.filter((plugin, index) =>
      listed.findIndex(({ kind, name }) =>
        kind === plugin.kind && name === plugin.name
      ) === index
    );
  }

  /**
   * Returns the names of components that are known without starting a plugin, for suggestions.
   *
   * @param kind The kind of component.
   */
  names(kind: PluginKind): string[] {
    if (!isPackerKind(kind)) return [];
    return [
      ...this.#singleNames(kind),
      ...this.#multiPlugins().map(({ name }) => name),
    ];
  }

  #single(kind: PluginKind, name: string): FoundPlugin | undefined {
    for (const { path: directory, reason } of this.#directories) {
      const path = findExecutable(`packer-${kind}-${name}`, [directory]);
      if (path !== undefined) {
        return this.#found([path], path, name, `${reason} ${directory}`);
      }
    }
  }

  #singleNames(kind: PluginKind): string[] {
    const prefix = `packer-${kind}-`;
    const names = this.#directories.flatMap(({ path }) =>
      filesIn(path).filter((file) => file.startsWith(prefix))
    ).map((file) => file.slice(prefix.length).replace(/\.exe$/i, ""));
    return [...new Set(names)].filter((name) =>
      this.#single(kind, name) !== undefined
    );
  }

  /** Finds the component PLUGIN or PLUGIN-NAME: starts only plugins whose name fits. */
  async #ofMulti(
    kind: PluginKind,
    type: string,
  ): Promise<FoundPlugin | undefined> {
    const fitting = this.#multiPlugins()
      .filter(({ name }) => type === name || type.startsWith(`${name}-`))
      .sort((a, b) => b.name.length - a.name.length);
    const obstacles: string[] = [];
    for (const plugin of fitting) {
      const obstacle = await obstacleOf(plugin);
      if (obstacle !== undefined) {
        obstacles.push(`${plugin.path} ${obstacle}`);
        continue;
      }
      const description = await describePackerPlugin(plugin.path, plugin.name);
      if (description === undefined) {
        obstacles.push(
          `${plugin.path} does not describe its components: "${plugin.path} describe" fails`,
        );
      } else if (description.components[kind]?.includes(type)) {
        return this.#found(startArgv(plugin), plugin.path, type, plugin.source);
      }
    }
    if (obstacles.length > 0) throw new Error(obstacles.join("\n"));
  }

  #multiPlugins(): MultiPlugin[] {
    this.#multi ??= this.#directories.flatMap(({ path: directory, reason }) => [
      ...filesIn(directory).flatMap((file) => {
        const name = /^packer-plugin-([^_.]+)(?:\.exe)?$/.exec(file)?.[1];
        const path = join(directory, file);
        return name === undefined ||
            findExecutable(`packer-plugin-${name}`, [directory]) === undefined
          ? []
          : [{ path, name, source: `${reason} ${directory}` }];
      }),
      ...(this.#programs.has(directory) ? [] : installedPlugins(directory)).map(
        (plugin) => ({
          ...plugin,
          source:
            `${plugin.origin} ${plugin.version}, installed in ${directory}`,
        }),
      ),
    ]);
    return this.#multi;
  }

  async #bundled(
    kind: PluginKind,
    type: string,
  ): Promise<FoundPlugin | undefined> {
    if (!isBundledByPacker(kind, type)) return undefined;
    const packer = await this.#findPacker();
    if (packer === undefined) return undefined;
    return bundledByPacker(kind, packer.version).includes(type)
      ? this.#ofPacker(type, packer)
      : undefined;
  }

  #ofPacker(
    name: string,
    { path, version }: { path: string; version: string },
  ): FoundPlugin {
    const argv = [path, packerCommand(version)];
    return this.#found(argv, argv.join(" "), name, `Packer ${version}`);
  }

  /** Returns the `packer` on PATH; searches only once. */
  #findPacker(): Promise<{ path: string; version: string } | undefined> {
    this.#packer ??= (async () => {
      const path = findExecutable("packer", pathDirectories());
      if (path === undefined) return undefined;
      const version = await packerVersion(path);
      return version === undefined ? undefined : { path, version };
    })();
    return this.#packer;
  }

  #found(
    argv: PluginCommand,
    label: string,
    name: string,
    source: string,
  ): FoundPlugin {
    return adaptedPlugin({ argv, label, name, source }, this.adapter);
  }
}

/**
 * Returns a plugin of Packer's as the adapter runs it.
 *
 * @param plugin The plugin, with its own command.
 * @param adapter The adapter's command; without one, the plugin has an obstacle.
 */
export function adaptedPlugin(
  plugin: FoundPlugin,
  adapter: PluginCommand | undefined,
): FoundPlugin {
  if (adapter === undefined) {
    return { ...plugin, obstacle: NO_ADAPTER, isPackers: true };
  }
  const { argv, label, name } = plugin;
  return {
    ...plugin,
    // One process runs all of Packer's plugins of a build.
    argv: adapterArgv(adapter),
    process: ADAPTER,
    request: JSON.stringify({ argv, label, name }),
    isPackers: true,
  };
}

/** Returns the command of a plugin. The adapter starts it once per component. */
function startArgv({ path }: MultiPlugin): PluginCommand {
  return [path, "start"];
}

function isPackerKind(kind: PluginKind): boolean {
  return (KINDS as readonly PluginKind[]).includes(kind) &&
    PLUGIN_KINDS.has(kind);
}

async function obstacleOf(plugin: MultiPlugin): Promise<string | undefined> {
  return plugin.origin === undefined
    ? undefined
    : await installedObstacle(plugin.path);
}

function filesIn(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
  } catch {
    // A directory that does not exist or cannot be read has no plugins.
    return [];
  }
}

/**
 * Returns the directories that Packer searches, in order, except the working directory, which may belong to someone
 * else.
 */
function packerDirectories(packer: string | undefined): PluginDirectory[] {
  const directories: PluginDirectory[] = [];
  const fromEnvironment = Deno.env.get("PACKER_PLUGIN_PATH") ?? "";
  for (const path of fromEnvironment.split(DELIMITER)) {
    if (isAbsolute(path)) {
      directories.push({ path, reason: "PACKER_PLUGIN_PATH" });
    }
  }
  const config = packerConfigDirectory();
  if (config !== undefined) {
    directories.push({
      path: join(config, "plugins"),
      reason: "Packer's plugin directory",
    });
  }
  if (packer !== undefined) {
    directories.push({
      path: dirname(packer),
      reason: "the directory of the packer executable",
    });
  }
  return directories;
}

/** Returns the directory of Packer's configuration. */
function packerConfigDirectory(): string | undefined {
  const given = Deno.env.get("PACKER_CONFIG_DIR");
  const name = Deno.build.os === "windows" ? "packer.d" : ".packer.d";
  // A relative directory would be below the working directory.
  if (given) return isAbsolute(given) ? join(given, name) : undefined;
  if (Deno.build.os === "windows") {
    const directory = Deno.env.get("APPDATA");
    return directory ? join(directory, name) : undefined;
  }
  const variable = Deno.env.get("HOME");
  const home = variable && isAbsolute(variable) ? variable : undefined;
  if (home && isDirectoryAt(join(home, name))) return join(home, name);
  const xdg = Deno.env.get("XDG_CONFIG_HOME");
  if (xdg && isAbsolute(xdg)) return join(xdg, "packer");
  return home ? join(home, ".config", "packer") : undefined;
}

function isDirectoryAt(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
