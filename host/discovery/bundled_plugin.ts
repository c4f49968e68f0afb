// How the host starts the plugin that ships with it: its own executable
// again, so that it needs no file of its own.

import { BUNDLED } from "../../plugin/bundled/components.ts";
import { fromFileUrl } from "@std/path";

/** The names of the bundled components, by kind. */
export const BUNDLED_NAMES: Readonly<Record<string, readonly string[]>> = Object
  .fromEntries(
    Object.entries(BUNDLED).map((
      [kind, byName],
    ) => [kind, Object.keys(byName)]),
  );

/** What this program may do, and so may what it starts, when it runs from source. */
const PERMISSIONS = ["read", "write", "run", "env", "sys"];

/** What the process that serves bundled components is called. */
export const BUNDLED_PROCESS = "baler-bundled";

/** The command that serves all bundled components. */
export function bundledArgv(): string[] {
  const self = Deno.build.standalone ? [Deno.execPath()] : [
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-prompt",
    ...PERMISSIONS.map((permission) => `--allow-${permission}`),
    fromFileUrl(import.meta.resolve("../../cli.ts")),
  ];
  return [...self, "plugin"];
}
