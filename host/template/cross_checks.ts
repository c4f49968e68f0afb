// Checks across the parts of a template: that it has a builder, that `only`,
// `except` and `override` name existing builders, and that it requires no newer
// Packer version.

import type { JsonPath } from "../json/json_document.ts";
import type { Template } from "./template.ts";
import type { Diagnostics } from "../json/fields.ts";
import { versionProblem } from "./packer_version.ts";

/**
 * Checks a template whose parts are well-formed.
 *
 * @param template The template.
 * @param buildersAreSound Whether all builders could be read. If not, references
 * to builders are not checked.
 * @param problems Collects the problems.
 */
export function checkTemplate(
  template: Template,
  buildersAreSound: boolean,
  problems: Diagnostics,
): void {
  const version = versionProblem(template.minPackerVersion ?? "");
  if (version !== undefined) problems.add(["min_packer_version"], version);
  if (!buildersAreSound) return;

  if (template.builders.length === 0) {
    problems.add(
      ["builders"],
      'at least one builder must be defined; write "builders": [{"type": "..."}]',
    );
  }
  const names = new Set(template.builders.map(({ name }) => name));
  for (const entry of template.provisioners) {
    const label = `provisioner ${Number(entry.at[1]) + 1}: `;
    checkOnlyExcept(entry, label, names, problems);
    for (const name of Object.keys(entry.override)) {
      if (!names.has(name)) {
        problems.add(
          [...entry.at, "override", name],
          `${label}override '${name}' doesn't exist; ${builders(names)}`,
          "key",
        );
      }
    }
  }
  for (const entry of template.postProcessors.flat()) {
    const [, index, step = 0] = entry.at;
    const label = `post-processor ${Number(index) + 1}.${Number(step) + 1}: `;
    checkOnlyExcept(entry, label, names, problems);
  }
}

function checkOnlyExcept(
  entry: { only: readonly string[]; except: readonly string[]; at: JsonPath },
  label: string,
  names: ReadonlySet<string>,
  problems: Diagnostics,
): void {
  if (entry.only.length > 0 && entry.except.length > 0) {
    problems.add(
      [...entry.at, "except"],
      `${label}only one of 'only' or 'except' may be specified; remove one`,
      "key",
    );
    return;
  }
  for (const key of ["only", "except"] as const) {
    for (const [index, name] of entry[key].entries()) {
      if (names.has(name)) continue;
      problems.add(
        [...entry.at, key, index],
        `${label}'${key}' specified builder '${name}' not found; ${
          builders(names)
        }`,
      );
    }
  }
}

/** How many builders an error message names. */
const MAX_NAMED_BUILDERS = 10;

function builders(names: ReadonlySet<string>): string {
  const some = [...names].slice(0, MAX_NAMED_BUILDERS)
    .map((name) => `'${name}'`);
  if (names.size > MAX_NAMED_BUILDERS) some.push("...");
  return some.length === 0
    ? "there is no builder"
    : `there is ${some.join(", ")}`;
}
