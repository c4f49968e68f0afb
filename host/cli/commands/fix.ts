// `baler fix`: updates a template that was written for an older Packer.

import { defineCommand, singleArgument } from "../command.ts";
import { applyFixes, FIXES } from "../../template/fixes.ts";
import { parseJsonDocument } from "../../json/json_document.ts";
import { readText } from "../../json/read_text_file.ts";
import { parseTemplate } from "../../template/template.ts";

const width = Math.max(...FIXES.map(({ name }) => name.length));

/** Updates a template that was written for an older Packer. */
export const fix = defineCommand({
  usage: "[options] TEMPLATE",
  description:
    "Prints a template with all fixes applied: keys that were renamed in later versions\n" +
    "of Packer get their new names. The file itself is not changed. TEMPLATE is a file,\n" +
    "or - for stdin.",
  flags: {
    validate: {
      type: "boolean",
      value: "=false",
      default: true,
      description: "Do not check the fixed template.",
    },
  },
  completes: "template",
  notes: `Fixes, in the order in which they are applied:

${
    FIXES.map(({ name, synopsis }) => `  ${name.padEnd(width)}  ${synopsis}`)
      .join("\n")
  }

Packer's other fixes are for plugins that are not bundled with baler.

Exit code:

  0 when the fixed template is valid, 1 when it is not, 2 when the command line is
  not valid.`,
  async run({ ui }, flags, positionals) {
    const path = singleArgument(positionals, "fix", "TEMPLATE");
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
