// What the shell provisioners have in common about where their script comes
// from.

import { resolve } from "@std/path";
import type { ConfigProblem } from "../../contract/config_error.ts";
import { osError } from "../shared/os_error.ts";

/**
 * What is wrong with a list of scripts: the ones that are not there.
 *
 * @param scripts Their paths.
 * @param workingDirectory The folder against which relative ones are meant.
 * @param key The option that names them.
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
 * The text of a script that a template has line by line.
 *
 * @param shebang The program that reads it, with its arguments; none when empty.
 * @param lines Its lines.
 */
export function inlineScript(
  shebang: string,
  lines: readonly string[],
): string {
  const first = shebang === "" ? [] : [`#!${shebang}`];
  return [...first, ...lines, ""].join("\n");
}
