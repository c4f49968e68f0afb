// The flags that `build` and `validate` share: variables, the selection of builds,
// and the directories of plugins.

import { type Flags, type FlagValues, UsageError } from "../flags.ts";
import { planBuilds, type TemplatePlan } from "../../plan/plan.ts";
import type { Redactor } from "../../log/redactor.ts";
import type { VariableOptions } from "../../template/variables.ts";

/** The flags that set the template's variables. */
export const VARIABLE_FLAGS = {
  var: {
    type: "list",
    value: " 'key=value'",
    description: "Set a template variable. Can be repeated.",
    completes: "variable",
  },
  "var-file": {
    type: "list",
    value: "=FILE",
    description: "Read template variables from a JSON file. Can be repeated.",
    completes: "file",
  },
} as const satisfies Flags;

/** The flags that select builds, and those of their variables and plugins. */
export const TEMPLATE_FLAGS = {
  except: {
    type: "list",
    value: "=foo,bar,baz",
    description:
      "Run all builds and post-processors except these. Names can be patterns with *.",
    completes: "builds",
  },
  only: {
    type: "list",
    value: "=foo,bar,baz",
    description: "Run only these builds. Names can be patterns with *.",
    completes: "builds",
  },
  "plugin-dir": {
    type: "list",
    value: "=DIR",
    description: "Search this directory for plugins first. Can be repeated.",
    completes: "directory",
  },
  ...VARIABLE_FLAGS,
} as const satisfies Flags;

/**
 * Plans the builds that the flags select.
 *
 * @param template The template's path, or `"-"`.
 * @param flags The flags.
 * @param run The settings for which only one of the commands has flags.
 * @param redactor Gets the sensitive values.
 * @throws {UsageError} When the value of a flag is not valid.
 * @throws {SourceError} When the template is not valid.
 */
export async function planOf(
  template: string,
  flags: FlagValues<typeof TEMPLATE_FLAGS>,
  run: Parameters<typeof planBuilds>[1]["run"],
  redactor: Redactor,
): Promise<TemplatePlan> {
  return await planBuilds(template, {
    only: namesOrNone(flags.only),
    except: namesOf(flags.except),
    pluginDir: flags["plugin-dir"],
    ...variablesOf(flags),
    run,
    redactor,
  });
}

/**
 * Returns the variables that the flags set.
 *
 * @param flags The flags.
 * @throws {UsageError} When one has no value.
 */
export function variablesOf(
  flags: FlagValues<typeof VARIABLE_FLAGS>,
): Pick<VariableOptions, "vars" | "varFiles"> {
  return { vars: flags.var.map(variableOf), varFiles: flags["var-file"] };
}

function namesOf(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(",")).map((name) => name.trim())
    .filter((name) => name !== "");
}

/** As in Packer, `-only=` with an empty value selects no build. */
function namesOrNone(values: readonly string[]): string[] {
  const names = namesOf(values);
  return names.length === 0 && values.length > 0 ? [""] : names;
}

function variableOf(text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  if (at === -1) {
    throw new UsageError(
      `-var must be a name and a value, -var 'name=value', not ${
        JSON.stringify(text)
      }`,
    );
  }
  return [text.slice(0, at), text.slice(at + 1)];
}
