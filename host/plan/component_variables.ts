// The user variables that a component gets: only those that its configuration
// reads, so that no plugin learns the values of others.

import type { BuildContext } from "../../plugin/contract/build_context.ts";
import {
  actionsIn,
  parse,
  userReferences,
} from "../../plugin/interpolate/mod.ts";
import type { ResolvedVariables } from "../template/variables.ts";

/** The part of the build context that has the user variables. */
export type ComponentVariables = Pick<
  BuildContext,
  "userVariables" | "sensitiveVariables"
>;

/**
 * Returns the variables that a component's configuration reads, directly or
 * through the value of another variable: a plugin may interpolate a value a second
 * time, as with `execute_command`.
 *
 * @param config The configuration; of a provisioner with its override.
 * @param variables All variables of the build.
 */
export function variablesReadBy(
  config: unknown,
  variables: ResolvedVariables,
): ComponentVariables {
  const read = new Set<string>();
  const open: unknown[] = [config];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === "object" && value !== null) {
      for (const inner of Object.values(value)) open.push(inner);
    }
    if (typeof value !== "string") continue;
    const { names, any } = referencesIn(value);
    if (any) return allVariables(variables);
    for (const name of names) {
      if (read.has(name) || !Object.hasOwn(variables.values, name)) continue;
      read.add(name);
      open.push(variables.values[name]);
    }
  }
  return {
    userVariables: Object.fromEntries(
      [...read].sort().map((name) => [name, variables.values[name]!]),
    ),
    sensitiveVariables: variables.sensitive.filter((name) => read.has(name)),
  };
}

/**
 * Returns all variables of the build, for a component whose plugin interpolates by
 * itself.
 *
 * @param variables All variables of the build.
 */
export function allVariables(variables: ResolvedVariables): ComponentVariables {
  return {
    userVariables: variables.values,
    sensitiveVariables: variables.sensitive,
  };
}

const USER = /\buser\b\s*(?:`([^`]*)`|"([^"\\]*)")?/g;

function referencesIn(
  text: string,
): { names: Iterable<string>; any: boolean } {
  if (!text.includes("{{") || !text.includes("user")) {
    return { names: [], any: false };
  }
  try {
    return userReferences(parse(text));
  } catch {
    // The plugin may have more functions, or interpolate only a part of the string.
    const reads = [...actionsIn(text)].flatMap((
      [start, end],
    ) => [...text.slice(start, end).matchAll(USER)]).map(([, raw, quoted]) =>
      raw ?? quoted
    );
    return {
      names: reads.filter((name) => name !== undefined),
      any: reads.includes(undefined),
    };
  }
}
