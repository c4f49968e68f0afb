// Finds `baler-packer`, the adapter that runs Packer's plugins, which use another
// protocol.

import {
  basename,
  DELIMITER,
  dirname,
  fromFileUrl,
  isAbsolute,
  join,
} from "@std/path";
import type { PluginDirectory } from "./plugin_directories.ts";
import type { PluginCommand, PluginKind } from "./plugin_table.ts";

/** The name of the executable. */
export const ADAPTER = "baler-packer";

/** The permissions of the adapter when it runs from source; those of its executable are the same. */
const PERMISSIONS = ["read", "write", "run", "env", "net"];

/** The obstacle of Packer's plugins when the adapter is missing. */
export const NO_ADAPTER =
  `is a Packer plugin, which needs ${ADAPTER}: put that executable next to baler, into a plugin directory or on PATH`;

/**
 * Finds the adapter: next to the host's executable, in the plugin directories, or on PATH. A host that runs from
 * source runs it from source, too.
 *
 * @param directories The plugin directories.
 * @returns Its command; undefined when it is not found.
 */
export function packerAdapter(
  directories: readonly PluginDirectory[],
): PluginCommand | undefined {
  if (!Deno.build.standalone) {
    return [
      Deno.execPath(),
      "run",
      "--quiet",
      "--no-prompt",
      ...PERMISSIONS.map((permission) => `--allow-${permission}`),
      fromFileUrl(import.meta.resolve("../../adapters/packer/main.ts")),
    ];
  }
  const path = findExecutable(ADAPTER, [
    dirname(Deno.execPath()),
    ...directories.map(({ path }) => path),
    ...pathDirectories(),
  ]);
  return path === undefined ? undefined : [path];
}

/** Returns the command that starts the adapter as a server of any of Packer's plugins. */
export function adapterArgv(adapter: PluginCommand): PluginCommand {
  return [...adapter, "--serve"];
}

/**
 * Whether a command runs a plugin of Packer's, by its name: an executable that is named like one, or Packer
 * itself, which serves its bundled components.
 *
 * @param kind The kind of component that it serves.
 * @param argv The command.
 */
export function isPackerPlugin(kind: PluginKind, argv: PluginCommand): boolean {
  const [path, command] = argv;
  const name = basename(path ?? "").replace(/\.exe$/i, "");
  return name.startsWith(`packer-${kind}-`) ||
    name.startsWith("packer-plugin-") ||
    (name === "packer" && (command === "plugin" || command === "execute"));
}

/** The directories of PATH. */
export function pathDirectories(): string[] {
  return (Deno.env.get("PATH") ?? "").split(DELIMITER)
    // A relative directory would be below the working directory, which may belong to someone else.
    .filter((directory) => isAbsolute(directory));
}

/**
 * Finds an executable file.
 *
 * @param name Its name, without `.exe`.
 * @param directories The directories to search, in order.
 */
export function findExecutable(
  name: string,
  directories: readonly string[],
): string | undefined {
  const file = Deno.build.os === "windows" ? `${name}.exe` : name;
  return directories.map((directory) => join(directory, file)).find(
    isExecutable,
  );
}

/** Whether a path is a file that may be executed. */
export function isExecutable(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && (mode === null || (mode & 0o111) !== 0);
  } catch {
    return false;
  }
}
