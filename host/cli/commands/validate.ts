// `baler validate`: checks that a template can be built, without building.

import { validateBuilds } from "../../build/validate_builds.ts";
import { defineCommand, singleArgument } from "../command.ts";
import { readTemplate } from "../../template/template.ts";
import { planOf, TEMPLATE_FLAGS } from "./template_flags.ts";

/** Checks that a template can be built. */
export const validate = defineCommand({
  usage: "[options] TEMPLATE",
  description:
    "Reads a template and lets each of its builders, provisioners and\n" +
    "post-processors check its configuration. Nothing is built. TEMPLATE is a file,\n" +
    "or - for the standard input.",
  flags: {
    "syntax-only": {
      type: "boolean",
      description: "Only read the template; no plugin is started.",
    },
    ...TEMPLATE_FLAGS,
  },
  words: "template",
  notes: `Exit code:

  0 when the template can be built, 1 when it cannot, 2 when the command line
  was not understood. All that is wrong is told at once, with its place.`,
  async run({ ui, log, redactor }, flags, words) {
    const path = singleArgument(words, "a template");
    if (flags["syntax-only"]) {
      await readTemplate(path, { syntaxOnly: true });
      ui.say("Syntax-only check passed. Everything looks okay.");
      return 0;
    }
    const plan = await planOf(
      path,
      flags,
      { debug: false, force: false, onError: "cleanup" },
      redactor,
    );
    if (!await validateBuilds(plan, ui, { log })) return 1;
    ui.say("The configuration is valid.");
    return 0;
  },
});
