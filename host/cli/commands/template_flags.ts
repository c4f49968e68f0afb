// The flags that `build` and `validate` share: which template with which
// variables, which of its builds, and where plugins are.

import { type Flags, type FlagValues, UsageError } from "../flags.ts";
import { planBuilds, type TemplatePlan } from "../../plan/plan.ts";
import type { Redactor } from "../../log/redactor.ts";
import type { VariableOptions } from "../../template/variables.ts";

/** The flags that say what the template's variables are. */
export const VARIABLE_FLAGS = {
  var: {
    type: "list",
    value: " 'key=value'",
    description: "A variable of the template; may come again.",
    completes: "variable",
  },
  "var-file": {
    type: "list",
    value: "=FILE",
    description: "A JSON file of variables; may come again.",
    completes: "file",
  },
} as const satisfies Flags;

/** The flags that say what is to be built. */
export const TEMPLATE_FLAGS = {
  except: {
    type: "list",
    value: "=foo,bar,baz",
    description:
      "All builds and post-processors but these; names may have * in them.",
    completes: "builds",
  },
  only: {
    type: "list",
    value: "=foo,bar,baz",
    description: "Only these builds; names may have * in them.",
    completes: "builds",
  },
  "plugin-dir": {
    type: "list",
    value: "=DIR",
    description: "A folder in which plugins are looked for first.",
    completes: "directory",
  },
  ...VARIABLE_FLAGS,
} as const satisfies Flags;

/**
 * Makes the plan of what the flags say.
 *
 * @param template The template's path, or `"-"`.
 * @param flags The flags.
 * @param run What the flags of one command alone say.
 * @param redactor Learns the values that must not be seen.
 * @throws {UsageError} When a flag cannot be understood.
 * @throws {SourceError} When something in the template is wrong.
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
 * What the flags say of variables.
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

/** As in Packer, `-only=` has a name in it that nothing is called by. */
function namesOrNone(values: readonly string[]): string[] {
  const names = namesOf(values);
  return names.length === 0 && values.length > 0 ? [""] : names;
}

function variableOf(text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  if (at === -1) {
    throw new UsageError(
      `-var takes a name and a value, -var 'name=value', not ${
        JSON.stringify(text)
      }`,
    );
  }
  return [text.slice(0, at), text.slice(at + 1)];
}
