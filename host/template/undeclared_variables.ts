// Variables that a template uses without declaring them. As in Packer they are
// empty; unlike Packer, baler warns about them.

import { actionsIn } from "../../plugin/interpolate/mod.ts";
import { nearest } from "../../plugin/common/did_you_mean.ts";
import type { JsonPath } from "../json/json_document.ts";
import { SourceError, type SourceProblem } from "../json/source_error.ts";
import type { Template } from "./template.ts";

/** The parts of a template whose strings are interpolated with its variables. */
const RENDERED = [
  "builders",
  "provisioners",
  "post-processors",
  "error-cleanup-provisioner",
];

const USER = /\buser\s+(?:`([^`]*)`|"([^"\\]*)")/g;

/**
 * Returns the warning about undeclared variables.
 *
 * @param template The template.
 * @param values The values of the declared variables, by name.
 * @returns The warning with the position of each; undefined when there is none.
 */
export async function undeclaredVariables(
  template: Template,
  values: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const problems: SourceProblem[] = [];
  const root = template.document.value as Record<string, unknown>;
  const open: [value: unknown, at: JsonPath][] = RENDERED
    .filter((key) => Object.hasOwn(root, key))
    .map((key) => [root[key], [key]]);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [value, at] = next;
    if (typeof value === "string") {
      for (const { name, index } of readIn(value)) {
        if (Object.hasOwn(values, name)) continue;
        const near = await nearest(name, Object.keys(values));
        problems.push({
          message: `undeclared variable "${name}", which is empty; ${
            near === undefined
              ? "declare it in the template's variables"
              : `did you mean "${near}"?`
          }`,
          location: template.document.locate(at, "value", index),
        });
      }
    } else if (typeof value === "object" && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        open.push([inner, [...at, key]]);
      }
    }
  }
  return problems.length === 0
    ? undefined
    : new SourceError(problems, template.source).message;
}

/** Finds the variables that a string uses, and the offsets of their names in it. */
function* readIn(text: string): Generator<{ name: string; index: number }> {
  for (const [start, end] of actionsIn(text)) {
    for (const read of text.slice(start, end).matchAll(USER)) {
      const name = read[1] ?? read[2]!;
      const index = start + read.index + read[0].length - name.length - 1;
      yield { name, index };
    }
  }
}
