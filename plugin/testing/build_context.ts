// The build that a component under test is a part of.

import { VERSION } from "../common/version.ts";
import type { BuildContext } from "../contract/build_context.ts";

/**
 * Returns the context of a build that was started without flags.
 *
 * @param changes What differs from it.
 */
export function buildContext(
  changes: Partial<BuildContext> = {},
): BuildContext {
  return {
    name: "test",
    type: "test",
    workingDirectory: changes.workingDirectory ?? Deno.cwd(),
    userVariables: {},
    sensitiveVariables: [],
    debug: false,
    force: false,
    onError: "cleanup",
    coreVersion: VERSION,
    packerVersion: "1.6.6",
    startedAt: new Date(0),
    ...changes,
  };
}
