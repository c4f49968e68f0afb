// The option environment_vars of the shell provisioners: the variables in front
// of a script's command line.

import type { BuildContext } from "../../contract/build_context.ts";
import type { ConfigProblem } from "../../contract/config_error.ts";
import { render } from "../../sdk/render.ts";
import {
  formatVariable,
  type Variable,
  type VariableFormat,
  variableNameProblem,
} from "./quote.ts";

/**
 * Checks a list of variables.
 *
 * @param vars The list as in the configuration: `KEY=value`.
 * @param isCustom True when the configuration has its own format or command.
 * @returns One problem for each variable that cannot be set.
 */
export function environmentVarsProblems(
  vars: readonly string[] = [],
  isCustom = false,
): ConfigProblem[] {
  return vars.flatMap((text, index) => {
    const path = ["environment_vars", index];
    const end = text.indexOf("=");
    if (end <= 0) {
      return [{
        path,
        message: `Environment variable not in format 'key=value': ${text}`,
      }];
    }
    const name = text.slice(0, end);
    // A name with a template in it is checked when it is known.
    if (text.slice(0, end + 1).includes("{{")) return [];
    const problem = text.includes("\0")
      ? `${JSON.stringify(text)} contains a NUL character`
      : variableNameProblem(name, isCustom);
    return problem === undefined ? [] : [{ path, message: problem }];
  });
}

/** What {@linkcode environmentVars} writes. */
export interface EnvironmentVarsOptions {
  /** The configuration's own variables, `KEY=value`. */
  vars: readonly string[] | undefined;
  /** How each is written. */
  format: VariableFormat;
  /** True when the configuration has its own format or command. */
  isCustom: boolean;
  /** The build, whose name and builder are variables, too. */
  build: BuildContext;
  /** What the builder published. */
  data: Record<string, unknown>;
}

/**
 * Writes the variables of a script: those that every script gets, and those of
 * the configuration, in the order of their names.
 *
 * @param options The variables and their format.
 * @returns The variables, each in the format, with nothing between them.
 * @throws {Error} When one of them cannot be written.
 */
export async function environmentVars(
  { vars = [], format, isCustom, build, data }: EnvironmentVarsOptions,
): Promise<string> {
  const variables = new Map<string, Variable>();
  const set = (name: string, value: string, isLiteral = false) =>
    variables.set(name, { name, value, isLiteral });
  set("PACKER_BUILD_NAME", build.name);
  set("PACKER_BUILDER_TYPE", build.type);
  for (const [name, value] of httpVariables(data)) set(name, value);
  for (const text of vars) {
    const rendered = await render(text, build, {
      fields: data,
      generated: data,
    });
    const end = rendered.indexOf("=");
    const name = rendered.slice(0, Math.max(end, 0));
    const problem = variableNameProblem(name, isCustom);
    if (problem !== undefined) throw new Error(problem);
    set(name, rendered.slice(end + 1), rendered === text);
  }
  return [...variables.values()]
    .sort((a, b) => a.name < b.name ? -1 : 1)
    .map((variable) => formatVariable(variable, format))
    .join("");
}

/** The variables of a builder's HTTP server, and the names under which it publishes them. */
const HTTP_VARIABLES = [
  ["PACKER_HTTP_ADDR", "PackerHTTPAddr"],
  ["PACKER_HTTP_IP", "PackerHTTPIP"],
  ["PACKER_HTTP_PORT", "PackerHTTPPort"],
] as const;

/**
 * @returns The variables of a builder's HTTP server; none without a server.
 * @throws {Error} When a value is not a host name, address or port.
 */
function httpVariables(
  data: Record<string, unknown>,
): [name: string, value: string][] {
  return HTTP_VARIABLES.flatMap(([name, key]): [string, string][] => {
    const value = data[key];
    // A builder without a server publishes ERR_... in place of the value.
    if (typeof value !== "string" || value.startsWith("ERR_")) return [];
    if (!/^[\w.:[\]%-]*$/.test(value)) {
      throw new Error(
        `the builder published ${JSON.stringify(value)} as ${key}, ` +
          "which is no host name, address or port",
      );
    }
    return [[name, value]];
  });
}
