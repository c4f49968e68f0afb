// `baler plugins`: lists the plugin that would be used for each name, and why.

import { errorMessage } from "../../errors/error_message.ts";
import { defineCommand } from "../command.ts";
import { checkExecutable } from "../../plugin/executable.ts";
import {
  type FoundPlugin,
  type ListedPlugin,
  listPlugins,
  namedPlugin,
} from "../../discovery/find_plugin.ts";
import type { ListedPackerPlugin } from "../../discovery/packer_plugins.ts";
import { PLUGIN_KINDS } from "../../discovery/plugin_table.ts";
import { untrustedReason } from "../../discovery/plugin_trust.ts";
import { pluginPathWarnings } from "../../discovery/plugin_directories.ts";
import { templateAndSources } from "./template_and_sources.ts";

/** Lists the plugins that would be used, and why. */
export const plugins = defineCommand({
  usage: "[options] [TEMPLATE]",
  description:
    "Lists the plugin that would be used for each name, and where it is from: a\n" +
    "template, the core configuration, the bundled plugins or the plugin directories.",
  flags: {
    "plugin-dir": {
      type: "list",
      value: "=DIR",
      description: "Search this directory for plugins first. Can be repeated.",
      completes: "directory",
    },
  },
  completes: "template",
  async run({ ui }, flags, positionals) {
    const { template, sources } = await templateAndSources(
      positionals,
      flags["plugin-dir"],
    );
    const listed: ListedPlugin[] = withPackers(
      listPlugins(sources),
      await sources.packer?.list() ?? [],
    );
    for (const { type, plugin, at } of template?.builders ?? []) {
      if (plugin === undefined) continue;
      const { line } = template!.document.locate(at);
      const source = `${template!.source}:${line}`;
      listed.unshift({
        kind: "builder",
        ...namedPlugin(
          "builder",
          type,
          plugin,
          source,
          sources.packer?.adapter,
        ),
        shadows: [],
      });
    }
    for (const warning of pluginPathWarnings()) ui.error(`Warning: ${warning}`);
    let kind = "";
    for (const plugin of listed) {
      ui.machine(
        "plugin",
        plugin.kind,
        plugin.name,
        plugin.label,
        plugin.source,
      );
      if (ui.isMachineReadable) continue;
      if (plugin.kind !== kind) {
        ui.say(`${kind === "" ? "" : "\n"}${plugin.kind}s:`);
        kind = plugin.kind;
      }
      ui.say(`  ${plugin.name.padEnd(20)} ${plugin.label}  (${plugin.source})`);
      const obstacle = await obstacleOf(plugin);
      if (obstacle !== undefined) ui.error(`  ${"".padEnd(20)} ${obstacle}`);
      const untrusted = untrustedReason(plugin.argv);
      if (untrusted !== undefined) {
        ui.error(`  ${"".padEnd(20)} not safe to run: ${untrusted}`);
      }
      for (const shadow of plugin.shadows) {
        ui.say(
          `  ${"".padEnd(20)} instead of ${shadow.label}  (${shadow.source})`,
        );
      }
    }
    return 0;
  },
});

/** Adds Packer's plugins, which have the lowest precedence, after those of the same kind. */
function withPackers(
  plugins: readonly ListedPlugin[],
  packers: readonly ListedPackerPlugin[],
): ListedPlugin[] {
  const all = [...plugins];
  for (const plugin of packers) {
    const index = all.findIndex(({ kind, name }) =>
      kind === plugin.kind && name === plugin.name
    );
    const other = all[index];
    if (other === undefined) all.push({ ...plugin, shadows: [] });
    else if (other.label !== plugin.label) {
      all[index] = { ...other, shadows: [...other.shadows, plugin] };
    }
  }
  const kinds = [...PLUGIN_KINDS.keys()];
  return all.sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
}

/** Returns why a plugin cannot be started, as far as its file shows that. */
async function obstacleOf(plugin: FoundPlugin): Promise<string | undefined> {
  if (plugin.obstacle !== undefined) return `it ${plugin.obstacle}`;
  try {
    await checkExecutable(plugin.argv, "this plugin");
  } catch (error) {
    return errorMessage(error);
  }
}
