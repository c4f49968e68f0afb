// `baler schema`: the JSON Schema of templates, for editors.

import { defineCommand } from "../command.ts";
import { UsageError } from "../flags.ts";

/** Shows the JSON Schema of templates. */
export const schema = defineCommand({
  usage: "",
  description:
    "Shows the JSON Schema (2020-12) of templates, with which an editor completes\n" +
    "and checks them. It knows the options of the plugins that come with baler; a\n" +
    "plugin of another name may have any.",
  flags: {},
  notes:
    `For an editor that takes schemas by file name (here in the settings.json of
VS Code), behind \`baler schema > baler.schema.json\`:

  "json.schemas": [
    { "fileMatch": ["*.baler.json"], "url": "./baler.schema.json" }
  ]

What a schema cannot say is left to \`baler validate\`: names of builds that do
not exist, options that exclude each other, files that are not there. And it
knows keys only in lower case, while baler, like Packer, takes them in any.`,
  async run({ screen }, _flags, words) {
    if (words.length > 0) {
      throw new UsageError(`schema takes no words, not ${words.join(" ")}`);
    }
    const { templateSchema } = await import("../../schema/template_schema.ts");
    screen.writeRaw(`${JSON.stringify(await templateSchema(), null, 2)}\n`);
    return 0;
  },
});
