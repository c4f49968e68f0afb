// Prelaunches the processes that the template on the command line probably needs:
// that of the bundled components, and the adapter of Packer's plugins.

import { BUNDLED_NAMES, bundledArgv } from "../discovery/bundled_plugin.ts";
import { isObject } from "../json/json_value.ts";
import { readEarly } from "../json/early_reading.ts";
import { prelaunch } from "../process/prelaunch.ts";
import { runEnvironment } from "../process/plugin_environment.ts";

/** The commands that launch the plugins of a template. */
const COMMANDS: ReadonlySet<string> = new Set(["build", "validate"]);

/**
 * Starts the process of the bundled components before the command is loaded, if
 * the command probably needs it. A wrong guess costs an idle process.
 *
 * @param command The command's name.
 * @param args The arguments after it.
 */
export function prelaunchBundled(
  command: string,
  args: readonly string[],
): void {
  if (
    !COMMANDS.has(command) || args.some((arg) => NO_LAUNCH_FLAGS.test(arg))
  ) return;
  const path = args.at(-1);
  const template = path === undefined ? undefined : readEarly(path);
  if (!isObject(template)) return;
  const types = typesOf(template);
  const isBundled = ([kind, type]: readonly [string, string]) =>
    BUNDLED_NAMES[kind]?.includes(type) === true;
  if (types.some(isBundled)) prelaunch(bundledArgv(), runEnvironment());
  const others = types.filter((one) => !isBundled(one));
  if (others.length === 0) return;
  // Most templates have only bundled components and need not load this module.
  void import("./prelaunch_packers.ts").then(({ prelaunchPackers }) =>
    prelaunchPackers(template, others)
  );
}

/** The flags with which no plugin is launched. */
const NO_LAUNCH_FLAGS = /^--?(syntax-only|h|help)\b/;

/** The types of a template's components, each with its kind. */
function typesOf(template: Record<string, unknown>): [string, string][] {
  return Object.entries(KEYS).flatMap(([kind, key]) => {
    const entries = template[key];
    if (!Array.isArray(entries)) return [];
    return entries.flat().flatMap((entry: unknown): [string, string][] => {
      const type = isObject(entry) ? entry.type : entry;
      return typeof type === "string" ? [[kind, type]] : [];
    });
  });
}

/** The key of each kind in a template. */
const KEYS: Readonly<Record<string, string>> = {
  builder: "builders",
  provisioner: "provisioners",
  "post-processor": "post-processors",
};
