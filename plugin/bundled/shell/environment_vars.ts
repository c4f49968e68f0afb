// The option environment_vars of the shell provisioners: what goes in front of
// a script's command line.

import type { BuildContext } from "../../contract/build_context.ts";
import type { ConfigProblem } from "../../contract/config_error.ts";
import { render } from "../../sdk/render.ts";

/**
 * What is wrong with a list of variables.
 *
 * @param vars As in the configuration: `KEY=value`.
 */
export function environmentVarsProblems(
  vars: readonly string[] = [],
): ConfigProblem[] {
  return vars.flatMap((text, index) =>
    text.indexOf("=") > 0 ? [] : [{
      path: ["environment_vars", index],
      message: `Environment variable not in format 'key=value': ${text}`,
    }]
  );
}

/** What {@linkcode environmentVars} writes. */
export interface EnvironmentVarsOptions {
  /** The configuration's own variables, `KEY=value`. */
  vars: readonly string[] | undefined;
  /** How one is written: the first `%s` is its name, the second its value. */
  format: string;
  /** Makes the configuration's own values fit the format; single quotes for a POSIX shell unless given. */
  escape?: (value: string) => string;
  /** The build, whose name and builder are variables, too. */
  build: BuildContext;
  /** What the builder published. */
  data: Record<string, unknown>;
}

/** The builder's HTTP server, where it has one: the variable, and its name in the data. */
const HTTP = [
  ["PACKER_HTTP_ADDR", "PackerHTTPAddr"],
  ["PACKER_HTTP_IP", "PackerHTTPIP"],
  ["PACKER_HTTP_PORT", "PackerHTTPPort"],
] as const;

/**
 * Writes the variables of a script: those that every script gets, and those of
 * the configuration, in the order of their names.
 *
 * @param options What to write, and how.
 * @returns The variables, each in the format, with nothing between them.
 */
export async function environmentVars(
  { vars = [], format, escape = escapeSingleQuotes, build, data }:
    EnvironmentVarsOptions,
): Promise<string> {
  const values = new Map([
    ["PACKER_BUILD_NAME", build.name],
    ["PACKER_BUILDER_TYPE", build.type],
  ]);
  for (const [name, key] of HTTP) {
    const value = data[key];
    // A builder without a server says so with an ERR_ in place of the value.
    if (typeof value === "string" && !value.startsWith("ERR_")) {
      values.set(name, value);
    }
  }
  for (const text of vars) {
    const [, name, value] = /^([^=]*)=(.*)$/s.exec(
      await render(text, build, { fields: data, generated: data }),
    )!;
    values.set(name!, escape(value!));
  }
  return [...values]
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, value]) => formatted(format, [name, value]))
    .join("");
}

/** The usual formats put the value between single quotes. */
function escapeSingleQuotes(value: string): string {
  return value.replaceAll("'", `'"'"'`);
}

function formatted(format: string, values: readonly string[]): string {
  let next = 0;
  return format.replaceAll(
    /%%|%(?:\[(\d+)\])?[sv]/g,
    (verb, index?: string) =>
      verb === "%%"
        ? "%"
        : values[index === undefined ? next++ : Number(index) - 1] ?? "",
  );
}
