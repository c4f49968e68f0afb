// Prelaunches the adapter of Packer's plugins, when a template probably uses any.

import { pluginDirectories } from "../discovery/plugin_directories.ts";
import {
  adapterArgv,
  isPackerPlugin,
  packerAdapter,
} from "../discovery/packer_adapter.ts";
import { PackerPlugins } from "../discovery/packer_plugins.ts";
import { PLUGIN_KINDS, type PluginKind } from "../discovery/plugin_table.ts";
import { isObject } from "../json/json_value.ts";
import { runEnvironment } from "../process/plugin_environment.ts";
import { prelaunch } from "../process/prelaunch.ts";

/**
 * Starts the adapter, if the template probably needs it. A wrong guess costs an
 * idle process.
 *
 * @param template The template, not checked yet.
 * @param types The types of components that are not bundled, with their kinds.
 */
export function prelaunchPackers(
  template: Record<string, unknown>,
  types: readonly (readonly [kind: string, type: string])[],
): void {
  const directories = pluginDirectories();
  const isNeeded = namesPackers(template.plugins) || (() => {
    const packers = new PackerPlugins(directories);
    return types.some(([kind, type]) =>
      packers.isLikely(kind as PluginKind, type)
    );
  })();
  const adapter = isNeeded ? packerAdapter(directories) : undefined;
  if (adapter !== undefined) prelaunch(adapterArgv(adapter), runEnvironment());
}

/** Whether a template's `plugins` name one of Packer's. */
function namesPackers(plugins: unknown): boolean {
  if (!isObject(plugins)) return false;
  return [...PLUGIN_KINDS].some(([kind, plural]) => {
    const table = plugins[plural];
    return isObject(table) && Object.values(table).some((command) => {
      const argv = typeof command === "string" ? [command] : command;
      return Array.isArray(argv) && argv.length > 0 &&
        argv.every((word) => typeof word === "string") &&
        isPackerPlugin(kind, argv);
    });
  });
}
