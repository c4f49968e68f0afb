// The published ui for tests, and the build context that baler's own tests use.

import { buildContext as contextOf } from "../../plugin/testing/build_context.ts";
import type { BuildContext } from "../../plugin/contract/build_context.ts";

export { RecordingUi } from "../../plugin/testing/recording_ui.ts";

/**
 * The context of a build.
 *
 * @param workingDirectory The build's working directory.
 * @param changes What differs from a build that was started without flags.
 */
export function buildContext(
  workingDirectory: string,
  changes: Partial<BuildContext> = {},
): BuildContext {
  return contextOf({ name: "vm", type: "null", workingDirectory, ...changes });
}
