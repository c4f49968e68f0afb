// The options that a plugin's components declare, for what shows them to people
// and editors.

import { BUNDLED } from "../../plugin/bundled/components.ts";
import type { Options } from "../../plugin/contract/options.ts";
import { checkOptions } from "../../plugin/sdk/check_options.ts";
import type { Log } from "../log/log.ts";
import { launch } from "../plugin/launch.ts";
import { pluginTimeouts } from "../plugin/plugin_timeouts.ts";
import type { FoundPlugin } from "./find_plugin.ts";
import type { PluginKind } from "./plugin_table.ts";

/**
 * Returns the options that a component declares. A plugin is launched to be
 * asked; a component that comes with baler is not.
 *
 * @param kind The kind of component.
 * @param found The plugin that serves it.
 * @param log Where the plugin's stderr goes.
 * @returns The options; undefined when it declares none, or is a plugin of
 * Packer's, which cannot be asked without a configuration.
 * @throws {PluginError} When the plugin cannot be launched.
 * @throws {TypeError} When its options are not a valid declaration.
 */
export async function componentOptions(
  kind: PluginKind,
  found: FoundPlugin,
  log: Log,
): Promise<Options | undefined> {
  if (found.source === "bundled") {
    const { default: Component } = await BUNDLED[kind]![found.name]!();
    return (new Component() as { options?: Options }).options;
  }
  if (found.isPackers) return undefined;
  await using plugin = await launch(found.argv, {
    name: found.label,
    log,
    ...pluginTimeouts(),
  });
  const { options } = await plugin.create<{ options?: Options }>(
    kind,
    found.request ?? found.name,
  );
  if (options !== undefined) checkOptions(options);
  return options;
}
