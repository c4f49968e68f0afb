// `baler fix`: brings a template that was written for an older Packer up to date.

import { defineCommand, singleArgument } from "../command.ts";
import { applyFixes, FIXES } from "../../template/fixes.ts";
import { parseJsonDocument } from "../../json/json_document.ts";
import { readText } from "../../json/read_text_file.ts";
import { parseTemplate } from "../../template/template.ts";

const width = Math.max(...FIXES.map(({ name }) => name.length));

/** Brings a template up to date. */
export const fix = defineCommand({
  usage: "[options] TEMPLATE",
  description:
    "Prints a template with all fixes applied: what later versions of Packer write in\n" +
    "another way is updated. The file itself is not changed. TEMPLATE is a file, or -\n" +
    "for the standard input.",
  flags: {
    validate: {
      type: "boolean",
      value: "=false",
      default: true,
      description: "Do not check the fixed template.",
    },
  },
  words: "template",
  notes: `Fixes, in the order in which they are applied:

${
    FIXES.map(({ name, synopsis }) => `  ${name.padEnd(width)}  ${synopsis}`)
      .join("\n")
  }

Packer's other fixes are for plugins that do not come with baler.

Exit code:

  0 when the fixed template is valid, 1 when it is not, 2 when the command line is
  not valid.`,
  async run({ ui }, flags, words) {
    const path = singleArgument(words, "fix", "TEMPLATE");
    const source = path === "-" ? "<stdin>" : path;
    const text = await readText(path, "template");
    const result = applyFixes(
      parseJsonDocument(text, source, { allowDuplicates: true }),
    );
    ui.say(`${result}\n`);
    if (flags.validate) await parseTemplate(result, `${source} (fixed)`);
    return 0;
  },
});
