// Packer's plugins, found where Packer finds them: single executables, installed plugins, and what an
// executable of Packer's serves itself. They are the last to be asked.

import { DELIMITER, dirname, isAbsolute, join } from "@std/path";
import type { PluginDirectory as PluginFolder } from "./plugin_directories.ts";
import type { FoundPlugin } from "./find_plugin.ts";
import {
  ADAPTER,
  adapterArgv,
  findExecutable,
  NO_ADAPTER,
  packerAdapter,
  pathFolders,
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
import { runEnvironment } from "../process/plugin_environment.ts";
import { prelaunch } from "../process/prelaunch.ts";
import {
  PLUGIN_KINDS,
  type PluginCommand,
  type PluginKind,
} from "./plugin_table.ts";

/** A plugin that serves several components. */
interface MultiPlugin extends Partial<InstalledPlugin> {
  readonly path: string;
  readonly name: string;
  /** Who says that it is there. */
  readonly source: string;
}

/** A component of a plugin of Packer's, as `baler plugins` lists it. */
export interface ListedPackerPlugin extends FoundPlugin {
  /** The kind of component. */
  readonly kind: PluginKind;
}

/** The kinds of component that Packer has, too. */
const KINDS = ["builder", "provisioner", "post-processor"] as const;

/** Packer's plugins. */
export class PackerPlugins {
  readonly #folders: readonly PluginFolder[];
  #adapter: { command: PluginCommand | undefined } | undefined;
  #multi: MultiPlugin[] | undefined;
  #packer: Promise<{ path: string; version: string } | undefined> | undefined;

  /**
   * @param folders baler's own plugin folders. Packer's are looked at behind them.
   */
  constructor(folders: readonly PluginFolder[]) {
    const seen = new Set<string>();
    this.#folders = [...folders, ...packerFolders()].filter(({ path }) =>
      !seen.has(path) && seen.add(path)
    );
  }

  /** The command that is put in front of a plugin's; undefined where it is missing. */
  get adapter(): PluginCommand | undefined {
    this.#adapter ??= { command: packerAdapter(this.#folders) };
    return this.#adapter.command;
  }

  /**
   * Finds the plugin that serves a component.
   *
   * @param kind The kind of component.
   * @param type Its type as the template has it.
   * @throws {Error} When there is one that cannot be used, with the reason.
   */
  async find(
    kind: PluginKind,
    type: string,
  ): Promise<FoundPlugin | undefined> {
    if (!isPackerKind(kind)) return undefined;
    if (this.#isLikely(kind, type)) this.#prelaunchAdapter();
    return this.#single(kind, type) ?? await this.#ofMulti(kind, type) ??
      await this.#bundled(kind, type);
  }

  /** Lists the components of every plugin; those that another one hides are left out. */
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
   * The names of components that a person may have meant, as far as they are known without starting a plugin.
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

  /** Whether there may be such a plugin, as far as that is known without starting one. */
  #isLikely(kind: PluginKind, type: string): boolean {
    return isBundledByPacker(kind, type) ||
      this.names(kind).some((name) =>
        type === name || type.startsWith(`${name}-`)
      );
  }

  /** The adapter takes as long to start as it takes to find out which plugin it is to run. */
  #prelaunchAdapter(): void {
    if (this.adapter === undefined) return;
    prelaunch(adapterArgv(this.adapter), runEnvironment());
  }

  #single(kind: PluginKind, name: string): FoundPlugin | undefined {
    for (const { path: folder, reason } of this.#folders) {
      const path = findExecutable(`packer-${kind}-${name}`, [folder]);
      if (path !== undefined) {
        return this.#found([path], path, name, `${reason} ${folder}`);
      }
    }
  }

  #singleNames(kind: PluginKind): string[] {
    const prefix = `packer-${kind}-`;
    const names = this.#folders.flatMap(({ path }) =>
      filesIn(path).filter((file) => file.startsWith(prefix))
    ).map((file) => file.slice(prefix.length).replace(/\.exe$/i, ""));
    return [...new Set(names)].filter((name) =>
      this.#single(kind, name) !== undefined
    );
  }

  /** A component is called PLUGIN or PLUGIN-NAME: only the plugins whose name fits are asked. */
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
          `${plugin.path} does not say what it serves: "${plugin.path} describe" fails`,
        );
      } else if (description.components[kind]?.includes(type)) {
        return this.#found(startArgv(plugin), plugin.path, type, plugin.source);
      }
    }
    if (obstacles.length > 0) throw new Error(obstacles.join("\n"));
  }

  #multiPlugins(): MultiPlugin[] {
    this.#multi ??= this.#folders.flatMap(({ path: folder, reason }) => [
      ...filesIn(folder).flatMap((file) => {
        const name = /^packer-plugin-([^_.]+)(?:\.exe)?$/.exec(file)?.[1];
        const path = join(folder, file);
        return name === undefined ||
            findExecutable(`packer-plugin-${name}`, [folder]) === undefined
          ? []
          : [{ path, name, source: `${reason} ${folder}` }];
      }),
      ...(hasHierarchy(reason) ? installedPlugins(folder) : []).map(
        (plugin) => ({
          ...plugin,
          source: `${plugin.origin} ${plugin.version}, installed in ${folder}`,
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

  /** The `packer` on PATH; looked for once. */
  #findPacker(): Promise<{ path: string; version: string } | undefined> {
    this.#packer ??= (async () => {
      const path = findExecutable("packer", pathFolders());
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
 * Has the adapter run a plugin of Packer's.
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

/** The adapter starts such a plugin for each of its components: it need not ask which there are. */
function startArgv({ path }: MultiPlugin): PluginCommand {
  return [path, "start"];
}

function isPackerKind(kind: PluginKind): boolean {
  return (KINDS as readonly PluginKind[]).includes(kind) &&
    PLUGIN_KINDS.has(kind);
}

/** A folder full of other programs has no hierarchy of plugins, and is not searched to its depths. */
function hasHierarchy(reason: string): boolean {
  return !/^the (folder|directory) of/.test(reason);
}

async function obstacleOf(plugin: MultiPlugin): Promise<string | undefined> {
  return plugin.origin === undefined
    ? undefined
    : await installedObstacle(plugin.path);
}

function filesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  } catch {
    // A folder that is not there, or may not be read, has no plugins to offer.
    return [];
  }
}

/**
 * The folders in which Packer looks, the first first; but not the folder of this run, which may be a stranger's.
 */
function packerFolders(): PluginFolder[] {
  const folders: PluginFolder[] = [];
  const fromEnvironment = Deno.env.get("PACKER_PLUGIN_PATH") ?? "";
  for (const path of fromEnvironment.split(DELIMITER)) {
    if (isAbsolute(path)) folders.push({ path, reason: "PACKER_PLUGIN_PATH" });
  }
  const config = packerConfigFolder();
  if (config !== undefined) {
    folders.push({
      path: join(config, "plugins"),
      reason: "Packer's plugin folder",
    });
  }
  const packer = findExecutable("packer", pathFolders());
  if (packer !== undefined) {
    folders.push({
      path: dirname(packer),
      reason: "the folder of the packer executable",
    });
  }
  return folders;
}

/** The folder of Packer's configuration. */
function packerConfigFolder(): string | undefined {
  const given = Deno.env.get("PACKER_CONFIG_DIR");
  const name = Deno.build.os === "windows" ? "packer.d" : ".packer.d";
  if (given) return join(given, name);
  if (Deno.build.os === "windows") {
    const folder = Deno.env.get("APPDATA");
    return folder ? join(folder, name) : undefined;
  }
  const home = Deno.env.get("HOME");
  if (home && isFolder(join(home, name))) return join(home, name);
  const xdg = Deno.env.get("XDG_CONFIG_HOME");
  if (xdg && isAbsolute(xdg)) return join(xdg, "packer");
  return home ? join(home, ".config", "packer") : undefined;
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
