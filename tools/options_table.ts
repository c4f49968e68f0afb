// The option tables of the documentation: every option of a component, with its type, default and description as the
// component declares them.
//
//     deno run --allow-read --allow-write tools/options_table.ts [--write]
//
// A page has a table wherever these two lines stand, with the module and the name of its exported options:
//
//     <!-- options: plugin/builders/qemu/qemu_options.ts qemuOptions -->
//     <!-- end of the options -->
//
// Without --write, the tool compares, and exits with 1 when a table is not what the declaration contains, or when a
// directory of plugin/builders is named by no table.

import { fromFileUrl } from "@std/path";
import { goDuration } from "../plugin/common/duration.ts";
import type { Option, Options } from "../plugin/contract/options.ts";

const root = new URL("..", import.meta.url);

/** The directory whose plugins must each have a table. */
const PROGRAMS = "plugin/builders";

const TABLE =
  /<!-- options: (?<module>\S+) (?<name>\w+) -->\n.*?<!-- end of the options -->/gs;

/**
 * The table of some options, in Markdown as `deno fmt` writes it.
 *
 * @param options The options.
 * @returns The lines of the table, without a line end at its end.
 */
export function optionsTable(options: Options): string {
  const rows = [
    ["option", "type", "default", "description"],
    ...Object.entries(options).map(([name, option]) => [
      `\`${name}\``,
      option.type,
      defaultOf(option),
      descriptionOf(option).replaceAll("|", "\\|"),
    ]),
  ];
  const widths = rows[0]!.map((_, column) =>
    Math.max(...rows.map((row) => row[column]!.length))
  );
  const line = (row: readonly string[]) =>
    `| ${
      row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")
    } |`;
  return [
    line(rows[0]!),
    `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`,
    ...rows.slice(1).map(line),
  ].join("\n");
}

function defaultOf(option: Option): string {
  if (option.required) return "required";
  const value = option.default;
  if (value === undefined) return "";
  // As a template writes it: "5m0s", not milliseconds.
  if (option.type === "duration") {
    return `\`"${
      goDuration(value as number).replace(/(?<=[hm])0[ms]/g, "")
    }"\``;
  }
  return `\`${JSON.stringify(value)}\``;
}

/** The description, with the allowed values where it does not name them all. */
function descriptionOf({ description, oneOf }: Option): string {
  if (oneOf?.some((word) => !description.includes(`\`${word}\``))) {
    return `${description} One of ${
      oneOf.map((word) => `\`${word}\``).join(", ")
    }.`;
  }
  return description;
}

/**
 * Fills the tables of a page.
 *
 * @param text The page.
 * @param load Returns the exported options of a module of the repository.
 * @returns The page with its tables as the options are declared, and the modules that they come from.
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

if (import.meta.main) {
  const load = async (module: string, name: string) =>
    (await import(new URL(module, root).href))[name];
  const docs = new URL("docs/", root);
  const documented = new Set<string>();
  let isCurrent = true;
  for (const { name } of Deno.readDirSync(docs)) {
    if (!name.endsWith(".md")) continue;
    const page = fromFileUrl(new URL(name, docs));
    const text = Deno.readTextFileSync(page);
    const filled = await fillTables(text, load);
    for (const module of filled.modules) {
      if (module.startsWith(`${PROGRAMS}/`)) {
        documented.add(module.split("/")[2]!);
      }
    }
    if (filled.text === text) continue;
    if (Deno.args.includes("--write")) {
      Deno.writeTextFileSync(page, filled.text);
      continue;
    }
    isCurrent = false;
    const known = new Set(text.split("\n"));
    for (const line of filled.text.split("\n")) {
      if (!known.has(line)) {
        console.error(
          `docs/${name}: missing or outdated: ${line.replace(/ +/g, " ")}`,
        );
      }
    }
    console.error(
      `docs/${name}: a table is not what the options declare; run "deno task options-table --write"`,
    );
  }
  for (const { name } of Deno.readDirSync(new URL(PROGRAMS, root))) {
    if (documented.has(name)) continue;
    isCurrent = false;
    console.error(
      `${PROGRAMS}/${name}: no page of docs/ has a table of its options`,
    );
  }
  if (!isCurrent) Deno.exit(1);
}
