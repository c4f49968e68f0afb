// The flags that `build` and `validate` share: which template with which
// variables, which of its builds, and where plugins are.

import { type Flags, type FlagValues, UsageError } from "../flags.ts";
import { planBuilds, type TemplatePlan } from "../plan.ts";
import type { Redactor } from "../redactor.ts";

/** The flags that say what is to be built. */
export const TEMPLATE_FLAGS = {
  except: {
    type: "list",
    value: "=foo,bar,baz",
    description: "All builds and post-processors but these.",
  },
  only: {
    type: "list",
    value: "=foo,bar,baz",
    description: "Only these builds; names may have * in them.",
  },
  "plugin-dir": {
    type: "list",
    value: "=DIR",
    description: "A folder in which plugins are looked for first.",
  },
  var: {
    type: "list",
    value: " 'key=value'",
    description: "A variable of the template; may come again.",
  },
  "var-file": {
    type: "list",
    value: "=FILE",
    description: "A JSON file of variables; may come again.",
  },
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
  if (flags.only.length > 0 && flags.except.length > 0) {
    throw new UsageError("-only and -except cannot be given together");
  }
  return await planBuilds(template, {
    only: namesOf(flags.only),
    except: namesOf(flags.except),
    pluginDir: flags["plugin-dir"],
    vars: flags.var.map(variableOf),
    varFiles: flags["var-file"],
    run,
    redactor,
  });
}

function namesOf(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(",")).map((name) => name.trim())
    .filter((name) => name !== "");
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
