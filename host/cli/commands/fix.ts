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
    "Shows a template with all mended in it that is written otherwise since some\n" +
    "version of Packer. The template itself stays as it is. TEMPLATE is a file, or -\n" +
    "for the standard input.",
  flags: {
    validate: {
      type: "boolean",
      value: "=false",
      default: true,
      description: "Do not check whether the mended template can be read.",
    },
  },
  words: "template",
  notes: `What is mended, in this order:

${
    FIXES.map(({ name, synopsis }) => `  ${name.padEnd(width)}  ${synopsis}`)
      .join("\n")
  }

Packer's other fixes are for plugins that do not come with baler.

Exit code:

  0 when the mended template was shown and can be read, 1 when it cannot, 2
  when the command line was not understood.`,
  async run({ ui }, flags, words) {
    const path = singleArgument(words, "a template");
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
