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
import { fillTables } from "../plugin/testing/option_tables.ts";

const root = new URL("..", import.meta.url);

/** The directory whose plugins must each have a table. */
const PROGRAMS = "plugin/builders";

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
