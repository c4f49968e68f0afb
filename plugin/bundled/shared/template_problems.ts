// A template that is filled in when the build is done is checked before it
// begins, so that an hour's work does not end at a missing brace.

import type { ConfigProblem } from "../../contract/config_error.ts";

/**
 * The problems of a template that is filled in later.
 *
 * @param text The template.
 * @param path Where it stands in the configuration.
 * @returns One problem, or none.
 */
export async function templateProblems(
  text: string,
  path: (string | number)[],
): Promise<ConfigProblem[]> {
  if (!text.includes("{{")) return [];
  const { validateTemplate } = await import("../../interpolate/mod.ts");
  try {
    validateTemplate(text);
    return [];
  } catch (error) {
    return [{
      path,
      message: `invalid "${path.join(".")}": ${(error as Error).message}`,
    }];
  }
}
