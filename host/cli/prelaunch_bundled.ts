// Prelaunches the process of the components that come with baler, when the
// template that the command line names has any of them.

import { BUNDLED_NAMES, bundledArgv } from "../discovery/bundled_plugin.ts";
import { readEarly } from "../json/early_reading.ts";
import { prelaunch } from "../process/prelaunch.ts";
import { runEnvironment } from "../process/plugin_environment.ts";

/** The commands that launch the plugins of a template. */
const COMMANDS: ReadonlySet<string> = new Set(["build", "validate"]);

/**
 * Starts the process of the bundled components before the command is loaded, if
 * it will probably need it. A wrong guess costs a process that does nothing.
 *
 * @param command The command's name.
 * @param words The arguments behind it.
 */
export function prelaunchBundled(
  command: string,
  words: readonly string[],
): void {
  if (
    !COMMANDS.has(command) || words.some((word) => NO_LAUNCH_FLAGS.test(word))
  ) return;
  const path = words.at(-1);
  if (path === undefined || !hasBundled(path)) return;
  prelaunch(bundledArgv(), runEnvironment());
}

/** Flags with which nothing is launched. */
const NO_LAUNCH_FLAGS = /^--?(syntax-only|h|help)\b/;

/** Whether a template has a component that comes with baler. */
function hasBundled(path: string): boolean {
  const template = readEarly(path) as Record<string, unknown> | undefined;
  return Object.entries(KEYS).some(([kind, key]) => {
    const entries = template?.[key];
    return Array.isArray(entries) &&
      entries.flat().some((entry: unknown) =>
        BUNDLED_NAMES[kind]?.includes(
          typeof entry === "string"
            ? entry
            : (entry as { type?: string } | null)?.type ?? "",
        )
      );
  });
}

/** The key of each kind in a template. */
const KEYS: Readonly<Record<string, string>> = {
  builder: "builders",
  provisioner: "provisioners",
  "post-processor": "post-processors",
};
