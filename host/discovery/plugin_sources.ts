// The sources of plugins for this run of baler.

import {
  BUNDLED_NAMES,
  BUNDLED_PROCESS,
  bundledArgv,
} from "./bundled_plugin.ts";
import { errorMessage } from "../errors/error_message.ts";
import { readCoreConfig } from "./core_config.ts";
import { pluginDirectories } from "./plugin_directories.ts";
import type { PluginSources } from "./find_plugin.ts";
import { PackerPlugins } from "./packer_plugins.ts";

/**
 * Returns the sources of plugins.
 *
 * @param options The template, if there is one, and the directories of `-plugin-dir`.
 * @throws {Error} When the core configuration cannot be read, or a path of
 * `-plugin-dir` is not a directory.
 */
export async function pluginSources(
  options: {
    template?: NonNullable<PluginSources["template"]>;
    pluginDir?: readonly string[];
  } = {},
): Promise<PluginSources> {
  for (const directory of options.pluginDir ?? []) {
    const info = await Deno.stat(directory).catch((error) => {
      if (error instanceof Deno.errors.NotCapable) {
        throw new Error(`-plugin-dir ${directory}: ${errorMessage(error)}`);
      }
    });
    if (!info?.isDirectory) {
      throw new Error(
        `-plugin-dir ${directory}: no such directory`,
      );
    }
  }
  const directories = pluginDirectories(
    options.pluginDir === undefined ? {} : { pluginDir: options.pluginDir },
  );
  return {
    ...(options.template === undefined ? {} : { template: options.template }),
    coreConfig: await readCoreConfig(),
    directories,
    packer: new PackerPlugins(directories),
    bundled: {
      argv: bundledArgv(),
      process: BUNDLED_PROCESS,
      names: BUNDLED_NAMES,
    },
  };
}
