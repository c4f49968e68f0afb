// Packer's plugins speak another protocol, which `baler-packer` speaks for the host: where that executable is.

import { basename, DELIMITER, dirname, fromFileUrl, join } from "@std/path";
import type { PluginDirectory as PluginFolder } from "./plugin_directories.ts";
import type { PluginCommand, PluginKind } from "./plugin_table.ts";

/** The name of the executable. */
export const ADAPTER = "baler-packer";

/** What the adapter may do when it runs from source, as its executable may. */
const PERMISSIONS = ["read", "write", "run", "env", "net"];

/** What a person is told where the adapter is missing. */
export const NO_ADAPTER =
  `is a plugin of Packer's, which ${ADAPTER} runs: put that executable beside baler, into a plugin folder or on PATH`;

/**
 * Finds the adapter: beside the host's executable, in the plugin folders, or on PATH. A host that runs from
 * source runs it from source, too.
 *
 * @param folders The folders in which plugins are looked for.
 * @returns Its command; undefined where there is none.
 */
export function packerAdapter(
  folders: readonly PluginFolder[],
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
    ...folders.map(({ path }) => path),
    ...pathFolders(),
  ]);
  return path === undefined ? undefined : [path];
}

/** The command by which the host starts the adapter, for whatever plugins it will be asked for. */
export function adapterArgv(adapter: PluginCommand): PluginCommand {
  return [...adapter, "--serve"];
}

/**
 * Whether a command runs a plugin of Packer's, by its name: an executable that is called like one, or Packer
 * itself, which serves what it bundles.
 *
 * @param kind The kind of component that it is to serve.
 * @param argv The command.
 */
export function isPackerPlugin(kind: PluginKind, argv: PluginCommand): boolean {
  const [path, command] = argv;
  const name = basename(path ?? "").replace(/\.exe$/i, "");
  return name.startsWith(`packer-${kind}-`) ||
    name.startsWith("packer-plugin-") ||
    (name === "packer" && (command === "plugin" || command === "execute"));
}

/** The folders of PATH. */
export function pathFolders(): string[] {
  return (Deno.env.get("PATH") ?? "").split(DELIMITER)
    .filter((folder) => folder !== "");
}

/**
 * Finds an executable file.
 *
 * @param name Its name, without `.exe`.
 * @param folders Where it is looked for, the first first.
 */
export function findExecutable(
  name: string,
  folders: readonly string[],
): string | undefined {
  const file = Deno.build.os === "windows" ? `${name}.exe` : name;
  return folders.map((folder) => join(folder, file)).find(isExecutable);
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
