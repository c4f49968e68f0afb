// `baler plugins`: for each name, the plugin that would be used, and why.

import { errorMessage } from "../../errors/error_message.ts";
import { defineCommand } from "../command.ts";
import { checkExecutable } from "../../plugin/executable.ts";
import {
  type FoundPlugin,
  listPlugins,
  namedPlugin,
} from "../../discovery/find_plugin.ts";
import { UsageError } from "../flags.ts";
import { pluginSources } from "../../discovery/plugin_sources.ts";
import { readTemplate } from "../../template/template.ts";

/** Lists the plugins that would be used, and why. */
export const plugins = defineCommand({
  usage: "[options] [TEMPLATE]",
  description:
    "Lists the plugins that would be used for each name, and why: those that a\n" +
    "template names, those of the core configuration, those in the plugin folders,\n" +
    "and those that come with baler.",
  flags: {
    "plugin-dir": {
      type: "list",
      value: "=DIR",
      description: "A folder in which plugins are looked for first.",
      completes: "folder",
    },
  },
  words: "template",
  async run({ ui }, flags, words) {
    if (words.length > 1) throw new UsageError("one template at the most");
    const template = words[0] === undefined
      ? undefined
      : await readTemplate(words[0], { syntaxOnly: true });
    const sources = await pluginSources({
      ...(template === undefined ? {} : { template }),
      pluginDir: flags["plugin-dir"],
    });
    const listed = listPlugins(sources);
    for (const { type, plugin, at } of template?.builders ?? []) {
      if (plugin === undefined) continue;
      const { line } = template!.document.locate(at);
      const source = `${template!.source}:${line}`;
      listed.unshift({
        kind: "builder",
        ...namedPlugin("builder", type, plugin, source),
        shadows: [],
      });
    }
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
      for (const shadow of plugin.shadows) {
        ui.say(
          `  ${"".padEnd(20)} in place of ${shadow.label}  (${shadow.source})`,
        );
      }
    }
    return 0;
  },
});

/** Why a plugin cannot be started, as far as that can be seen from outside. */
async function obstacleOf(plugin: FoundPlugin): Promise<string | undefined> {
  try {
    await checkExecutable(plugin.argv, "this plugin");
  } catch (error) {
    return errorMessage(error);
  }
}
