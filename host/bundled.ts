// How the host starts the plugins that ship with it: its own executable
// again, so that they need no file of their own.

import { BUNDLED } from "../plugin/bundled/mod.ts";
import { fromFileUrl } from "@std/path";

/** The names of the bundled plugins, by kind. */
export const BUNDLED_NAMES: Readonly<Record<string, readonly string[]>> = Object
  .fromEntries(
    Object.entries(BUNDLED).map((
      [kind, byName],
    ) => [kind, Object.keys(byName)]),
  );

/** What this program may do, and so may what it starts, when it runs from source. */
const PERMISSIONS = ["read", "write", "run", "env", "sys"];

/**
 * The command that serves a bundled plugin.
 *
 * @param kind The kind of component.
 * @param name The component's name.
 */
export function bundledArgv(kind: string, name: string): string[] {
  const self = Deno.build.standalone ? [Deno.execPath()] : [
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-prompt",
    ...PERMISSIONS.map((permission) => `--allow-${permission}`),
    fromFileUrl(import.meta.resolve("../cli.ts")),
  ];
  return [...self, "plugin", `${kind}-${name}`];
}
