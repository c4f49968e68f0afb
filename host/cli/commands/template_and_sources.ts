// The arguments of commands that look for plugins: a template, if one is given,
// and where its plugins are looked for.

import type { PluginSources } from "../../discovery/find_plugin.ts";
import { pluginSources } from "../../discovery/plugin_sources.ts";
import { readTemplate, type Template } from "../../template/template.ts";
import { UsageError } from "../flags.ts";

/**
 * Reads the template that a command was given, if any.
 *
 * @param positionals The command's arguments after its flags.
 * @param pluginDir The directories of `-plugin-dir`.
 * @returns The template, and where plugins are looked for.
 * @throws {UsageError} When there is more than one argument.
 * @throws {Error} When the template or the core configuration cannot be read.
 */
export async function templateAndSources(
  positionals: readonly string[],
  pluginDir: readonly string[],
): Promise<{ template: Template | undefined; sources: PluginSources }> {
  if (positionals.length > 1) {
    throw new UsageError(
      `expected one TEMPLATE at most, got ${positionals.length} arguments: ${
        positionals.join(" ")
      }`,
    );
  }
  const template = positionals[0] === undefined
    ? undefined
    : await readTemplate(positionals[0], { syntaxOnly: true });
  const sources = await pluginSources({
    ...(template === undefined ? {} : { template }),
    pluginDir,
  });
  return { template, sources };
}
