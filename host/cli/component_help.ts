// `baler help KIND NAME`: the options of a component, as it declares them.

import type { Options } from "../../plugin/contract/options.ts";
import {
  defaultText,
  descriptionText,
  optionEntries,
} from "../../plugin/sdk/option_text.ts";
import { componentOptions } from "../discovery/component_options.ts";
import { findPlugin } from "../discovery/find_plugin.ts";
import { pluginSources } from "../discovery/plugin_sources.ts";
import { PLUGIN_KINDS, type PluginKind } from "../discovery/plugin_table.ts";
import { trustWarning } from "../discovery/plugin_trust.ts";
import type { CommandContext } from "./command.ts";
import { twoColumns } from "./flags.ts";

/** The kinds of component that are configured by a template. */
const CONFIGURED: readonly PluginKind[] = [...PLUGIN_KINDS.keys()].filter((
  kind,
) => kind !== "command" && kind !== "hook");

/**
 * Whether a word is a kind of component that a template configures.
 *
 * @param word The word.
 */
export function isConfiguredKind(word: string): word is PluginKind {
  return CONFIGURED.includes(word as PluginKind);
}

/**
 * Returns the help of a component.
 *
 * @param kind The kind of component.
 * @param type The component, as the `type` in a template names it.
 * @param context Where warnings, and the stderr of a plugin, go.
 * @throws {Error} When no plugin serves it, or its plugin cannot be asked.
 */
export async function componentHelp(
  kind: PluginKind,
  type: string,
  { screen, log }: CommandContext,
): Promise<string> {
  const found = await findPlugin(kind, type, await pluginSources());
  const untrusted = trustWarning(found);
  if (untrusted !== undefined) screen.writeError(`Warning: ${untrusted}`);
  const options = await componentOptions(kind, found, log);
  const title = `The ${kind} ${type}: ${found.label} (${found.source})`;
  if (found.isPackers) {
    return `${title}\n\nIt is a plugin of Packer's, which does not tell its options.`;
  }
  if (options === undefined) {
    return `${title}\n\nIt declares no options, and accepts every key.`;
  }
  const rows = rowsOf(options);
  return rows.length === 0
    ? `${title}\n\nIt has no options.`
    : `${title}\n\nOptions:\n\n${twoColumns(rows)}`;
}

function rowsOf(options: Options): [string, string][] {
  return optionEntries(options).map(([name, option]) => {
    const value = defaultText(option);
    const facts = [
      option.type,
      ...(value === undefined
        ? []
        : [option.required ? value : `default ${value}`]),
    ];
    return [
      `  ${name}`,
      `${descriptionText(option)} (${facts.join(", ")})`,
    ];
  });
}
