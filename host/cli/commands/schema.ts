// `baler schema`: prints the JSON Schema of templates, for editors.

import { defineCommand } from "../command.ts";
import { UsageError } from "../flags.ts";

/** Prints the JSON Schema of templates. */
export const schema = defineCommand({
  usage: "",
  description:
    "Prints the JSON Schema (2020-12) of templates, with which an editor completes and\n" +
    "checks them. It has the options of the bundled plugins; other plugins can have any\n" +
    "options.",
  flags: {},
  notes:
    `For an editor that takes schemas by file name (here in the settings.json of
VS Code), after \`baler schema > baler.schema.json\`:

  "json.schemas": [
    { "fileMatch": ["*.baler.json"], "url": "./baler.schema.json" }
  ]

A schema cannot check everything that \`baler validate\` checks: references to
builds, options that exclude each other, missing files. Its keys are in lower case,
while baler, like Packer, accepts any case.`,
  async run({ screen }, _flags, positionals) {
    if (positionals.length > 0) {
      throw new UsageError(
        `schema takes no arguments, got: ${positionals.join(" ")}`,
      );
    }
    const { templateSchema } = await import("../../schema/template_schema.ts");
    screen.writeRaw(`${JSON.stringify(await templateSchema(), null, 2)}\n`);
    return 0;
  },
});
