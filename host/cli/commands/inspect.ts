// `baler inspect`: shows the parts of a template.

import { defineCommand, singleArgument } from "../command.ts";
import { readTemplate } from "../../template/template.ts";

/** Shows the parts of a template. */
export const inspect = defineCommand({
  usage: "TEMPLATE",
  description:
    "Shows the variables, builders, provisioners and post-processors of a template.\n" +
    "Only the syntax of the template is checked, and no plugin is started. TEMPLATE is\n" +
    "a file, or - for stdin.",
  flags: {},
  completes: "template",
  async run({ ui }, _flags, positionals) {
    const template = await readTemplate(
      singleArgument(positionals, "inspect", "TEMPLATE"),
      {
        syntaxOnly: true,
      },
    );
    if (template.description !== undefined) {
      ui.say("Description:\n");
      ui.say(`${template.description}\n`);
    }

    const variables = [...template.variables].sort(([a], [b]) =>
      a < b ? -1 : 1
    );
    const width = Math.max(0, ...variables.map(([name]) => name.length));
    const shown = (name: string, value: string | null) =>
      template.sensitiveVariables.includes(name) ? "<sensitive>" : value ?? "";
    const required = variables.filter(([, value]) => value === null);
    const optional = variables.filter(([, value]) => value !== null);
    if (required.length > 0) {
      ui.say("Required variables:\n");
      for (const [name, value] of required) {
        ui.machine("template-variable", name, shown(name, value), "1");
        ui.say(`  ${name}`);
      }
      ui.say("");
    }
    if (optional.length > 0) {
      ui.say("Optional variables and their defaults:\n");
      for (const [name, value] of optional) {
        ui.machine("template-variable", name, shown(name, value), "0");
        ui.say(`  ${name.padEnd(width)} = ${shown(name, value)}`);
      }
      ui.say("");
    }
    if (variables.length === 0) {
      ui.say("Variables:\n");
      ui.say("  <No variables>\n");
    }

    ui.say("Builders:\n");
    const builders = [...template.builders].sort((a, b) =>
      a.name < b.name ? -1 : 1
    );
    const builderWidth = Math.max(
      0,
      ...builders.map(({ name }) => name.length),
    );
    for (const { name, type } of builders) {
      ui.machine("template-builder", name, type);
      ui.say(
        name === type
          ? `  ${name}`
          : `  ${name.padEnd(builderWidth)} (${type})`,
      );
    }
    if (builders.length === 0) ui.say("  <No builders>");
    ui.say("");

    ui.say("Provisioners:\n");
    for (const { type } of template.provisioners) {
      ui.machine("template-provisioner", type);
      ui.say(`  ${type}`);
    }
    if (template.provisioners.length === 0) ui.say("  <No provisioners>");

    if (template.postProcessors.length > 0) {
      ui.say("\nPost-processors:\n");
      for (const sequence of template.postProcessors) {
        ui.say(`  ${sequence.map(({ name }) => name).join(" -> ")}`);
      }
    }
    ui.say(
      "\nNames that contain {{...}} are shown without interpolation; a build\n" +
        "interpolates them.",
    );
    return 0;
  },
});
