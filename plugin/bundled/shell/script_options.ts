// The options of the shell provisioners that name their scripts.

import { resolve } from "@std/path";
import type { ConfigProblem } from "../../contract/config_error.ts";
import { osError } from "../../files/os_error.ts";

/** Where a shell provisioner's scripts come from: exactly one of these is given. */
export interface ScriptSource {
  /** The lines of a script. */
  inline?: readonly string[] | undefined;
  /** The path of a script on this machine. */
  script?: string | undefined;
  /** The paths of scripts on this machine. */
  scripts?: readonly string[] | undefined;
}

/**
 * Checks the options that name the scripts.
 *
 * @param source The options of the configuration.
 * @param workingDirectory The directory that relative paths start from.
 */
export async function scriptSourceProblems(
  { inline = [], script, scripts = [] }: ScriptSource,
  workingDirectory: string,
): Promise<ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  if (script && scripts.length > 0) {
    problems.push({
      path: ["script"],
      message: "Only one of script or scripts can be specified.",
    });
  }
  const paths = script ? [script] : scripts;
  if (paths.length === 0 && inline.length === 0) {
    problems.push({
      path: [],
      message: "Either a script file or inline script must be specified.",
    });
  } else if (paths.length > 0 && inline.length > 0) {
    problems.push({
      path: ["inline"],
      message:
        "Only a script file or an inline script can be specified, not both.",
    });
  }
  const key = script ? "script" : "scripts";
  problems.push(...await scriptProblems(paths, workingDirectory, key));
  return problems;
}

/**
 * Checks that scripts exist.
 *
 * @param scripts Their paths.
 * @param workingDirectory The directory of relative paths.
 * @param key The option that names them.
 * @returns One problem for each script that does not exist.
 */
export async function scriptProblems(
  scripts: readonly string[],
  workingDirectory: string,
  key: string,
): Promise<ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  for (const [index, script] of scripts.entries()) {
    try {
      await Deno.stat(resolve(workingDirectory, script));
    } catch (error) {
      problems.push({
        path: key === "scripts" ? [key, index] : [key],
        message: `Bad script '${script}': ${
          osError("stat", script, error).message
        }`,
      });
    }
  }
  return problems;
}

/**
 * The text of an inline script.
 *
 * @param shebang The interpreter with its arguments; none when empty.
 * @param lines The lines of the script.
 */
export function inlineScript(
  shebang: string,
  lines: readonly string[],
): string {
  const first = shebang === "" ? [] : [`#!${shebang}`];
  return [...first, ...lines, ""].join("\n");
}
