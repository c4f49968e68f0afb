// Checks a template that is rendered after the build, so that a missing brace is
// found before it.

import type { ConfigProblem } from "../../contract/config_error.ts";

/**
 * Checks a template that is rendered later.
 *
 * @param text The template.
 * @param path Its path in the configuration.
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
