// The command that starts the bundled plugin: the host's own executable with the
// argument `plugin`, so that no other file is needed.

import { BUNDLED } from "../../plugin/bundled/components.ts";
import { fromFileUrl } from "@std/path";

/** The names of the bundled components, by kind. */
export const BUNDLED_NAMES: Readonly<Record<string, readonly string[]>> = Object
  .fromEntries(
    Object.entries(BUNDLED).map((
      [kind, byName],
    ) => [kind, Object.keys(byName)]),
  );

/** The permissions of the bundled plugin when the host runs from source. */
const PERMISSIONS = ["read", "write", "run", "env", "sys"];

/** The name of the process that serves bundled components. */
export const BUNDLED_PROCESS = "baler-bundled";

/** Returns the command that serves all bundled components. */
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
