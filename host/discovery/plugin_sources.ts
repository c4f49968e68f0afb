// Where this run of baler looks for plugins.

import {
  BUNDLED_NAMES,
  BUNDLED_PROCESS,
  bundledArgv,
} from "./bundled_plugin.ts";
import { readCoreConfig } from "./core_config.ts";
import { pluginFolders } from "../config/environment.ts";
import type { PluginSources } from "./find_plugin.ts";
import { PackerPlugins } from "./packer_plugins.ts";

/**
 * Where plugins are looked for.
 *
 * @param options The template, where there is one, and the folders of `-plugin-dir`.
 * @throws {Error} When the core configuration cannot be read, or a folder of
 * `-plugin-dir` is none.
 */
export async function pluginSources(
  options: { template?: PluginSources["template"]; pluginDir?: readonly string[] } = {},
): Promise<PluginSources> {
  for (const folder of options.pluginDir ?? []) {
    const info = await Deno.stat(folder).catch(() => undefined);
    if (!info?.isDirectory) {
      throw new Error(
        `-plugin-dir ${folder}: there is no such folder; name one that has plugins in it`,
      );
    }
  }
  const folders = pluginFolders(
    options.pluginDir === undefined ? {} : { pluginDir: options.pluginDir },
  );
  return {
    ...(options.template === undefined ? {} : { template: options.template }),
    coreConfig: await readCoreConfig(),
    folders,
    packer: new PackerPlugins(folders),
    bundled: {
      argv: bundledArgv(),
      process: BUNDLED_PROCESS,
      names: BUNDLED_NAMES,
    },
  };
}
