// `baler schema`: prints the JSON Schema of templates, for editors.

import { errorMessage } from "../../errors/error_message.ts";
import { componentOptions } from "../../discovery/component_options.ts";
import { type FoundPlugin, listPlugins } from "../../discovery/find_plugin.ts";
import type { PluginKind } from "../../discovery/plugin_table.ts";
import { trustWarning } from "../../discovery/plugin_trust.ts";
import { type CommandContext, defineCommand } from "../command.ts";
import { templateAndSources } from "./template_and_sources.ts";

/** Prints the JSON Schema of templates. */
export const schema = defineCommand({
  usage: "[options] [TEMPLATE]",
  description:
    "Prints the JSON Schema (2020-12) of templates, with which an editor completes and\n" +
    "checks them. It has the options of the components that come with baler, and of the\n" +
    'plugins that "baler plugins" lists for the same arguments. To learn their options,\n' +
    "baler launches these plugins. Other plugins, and Packer's, can have any options.",
  flags: {
    "plugin-dir": {
      type: "list",
      value: "=DIR",
      description: "Search this directory for plugins first. Can be repeated.",
      completes: "directory",
    },
  },
  completes: "template",
  notes:
    `For an editor that takes schemas by file name (here in the settings.json of
VS Code), after \`baler schema > baler.schema.json\`:

  "json.schemas": [
    { "fileMatch": ["*.baler.json"], "url": "./baler.schema.json" }
  ]

A schema cannot check everything that \`baler validate\` checks: references to
builds, options that exclude each other, missing files. Its keys are in lower case,
while baler, like Packer, accepts any case.`,
  async run(context, flags, positionals) {
    const { sources } = await templateAndSources(
      positionals,
      flags["plugin-dir"],
    );
    const plugins = listPlugins(sources).filter(({ kind }) =>
      kind !== "command"
    );
    const components = await Promise.all(
      plugins.map(async (found) => ({
        kind: found.kind,
        name: found.name,
        options: await optionsOf(found.kind, found, context),
      })),
    );
    const { templateSchema } = await import("../../schema/template_schema.ts");
    context.screen.writeRaw(
      `${JSON.stringify(templateSchema(components), null, 2)}\n`,
    );
    return 0;
  },
});

/** The options of a component; none are known where its plugin cannot be asked. */
async function optionsOf(
  kind: PluginKind,
  found: FoundPlugin,
  { screen, log }: CommandContext,
): Promise<Awaited<ReturnType<typeof componentOptions>>> {
  const untrusted = trustWarning(found);
  // The schema goes to stdout.
  if (untrusted !== undefined) screen.writeError(`Warning: ${untrusted}`);
  try {
    return await componentOptions(kind, found, log);
  } catch (error) {
    screen.writeError(
      `Warning: the options of ${found.label} are not known: ${
        errorMessage(error)
      }`,
    );
    return undefined;
  }
}
