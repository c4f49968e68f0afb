// The tables of options in a README or a page: written from what a component
// declares, and compared with it.

import { markdownTable } from "../common/markdown_table.ts";
import type { Option, Options } from "../contract/options.ts";
import {
  defaultText,
  descriptionText,
  optionEntries,
} from "../sdk/option_text.ts";

const TABLE =
  /<!-- options: (?<module>\S+) (?<name>\w+) -->\n.*?<!-- end of the options -->/gs;

/**
 * The table of some options, in Markdown as `deno fmt` writes it.
 *
 * @param options The options.
 * @returns The lines of the table, without a line end at its end.
 */
export function optionsTable(options: Options): string {
  return markdownTable([
    ["option", "type", "default", "description"],
    ...optionEntries(options).map(([name, option]) => [
      `\`${name}\``,
      option.type,
      defaultCell(option),
      descriptionText(option).replaceAll("|", "\\|"),
    ]),
  ]);
}

function defaultCell(option: Option): string {
  const text = defaultText(option);
  return text === undefined || option.required ? text ?? "" : `\`${text}\``;
}

/**
 * Fills the tables of a page.
 *
 * @param text The page.
 * @param load Returns what a module exports under a name.
 * @returns The page with its tables as the options are declared, and the modules
 * that the options come from.
 * @throws {Error} When a module does not export the options that a page names.
 */
export async function fillTables(
  text: string,
  load: (module: string, name: string) => Promise<Options | undefined>,
): Promise<{ text: string; modules: string[] }> {
  const modules: string[] = [];
  let filled = "";
  let end = 0;
  for (const match of text.matchAll(TABLE)) {
    const { module, name } = match.groups as { module: string; name: string };
    const options = await load(module, name);
    if (typeof options !== "object") {
      throw new Error(`${module} exports no options named ${name}`);
    }
    filled += text.slice(end, match.index) +
      `<!-- options: ${module} ${name} -->\n\n${
        optionsTable(options)
      }\n\n<!-- end of the options -->`;
    end = match.index + match[0].length;
    modules.push(module);
  }
  return { text: filled + text.slice(end), modules };
}

/**
 * Checks that the tables of options in a Markdown file are as the options are
 * declared. A table stands between two comments; the first names a module, from
 * the file's directory, and what it exports:
 *
 * ```md
 * <!-- options: builder.ts options -->
 * <!-- end of the options -->
 * ```
 *
 * @param page The file.
 * @param settings `write` is true to write the tables instead.
 * @throws {Error} When a table is not as declared, or the file has no table.
 */
export async function checkOptionTables(
  page: URL,
  settings: { readonly write?: boolean } = {},
): Promise<void> {
  const text = await Deno.readTextFile(page);
  const filled = await fillTables(
    text,
    async (module, name) => (await import(new URL(module, page).href))[name],
  );
  if (settings.write) return await Deno.writeTextFile(page, filled.text);
  if (filled.text === text) return;
  const known = new Set(text.split("\n"));
  const missing = filled.text.split("\n").filter((line) => !known.has(line));
  throw new Error(
    [
      `${page.pathname}: a table of options is not as declared; missing or outdated:`,
      ...missing,
    ].join("\n"),
  );
}
