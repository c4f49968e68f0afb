// `baler validate`: checks that a template can be built.

import { validateBuilds } from "../../build/validate_builds.ts";
import { defineCommand, singleArgument } from "../command.ts";
import { readTemplate } from "../../template/template.ts";
import { planOf, TEMPLATE_FLAGS } from "./template_flags.ts";

/** Checks that a template can be built. */
export const validate = defineCommand({
  usage: "[options] TEMPLATE",
  description:
    "Checks that a template is valid: its syntax, and the configuration of each builder,\n" +
    "provisioner and post-processor. Nothing is built. TEMPLATE is a file, or - for\n" +
    "stdin.",
  flags: {
    "syntax-only": {
      type: "boolean",
      description: "Only check syntax. Do not start plugins.",
    },
    ...TEMPLATE_FLAGS,
  },
  completes: "template",
  notes: `Exit code:

  0 when the template is valid, 1 when it is not, 2 when the command line is not
  valid. All problems are reported at once, with their lines.`,
  async run({ ui, log, redactor }, flags, positionals) {
    const path = singleArgument(positionals, "validate", "TEMPLATE");
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
