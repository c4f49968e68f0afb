// Packer's plugins speak another protocol, which `baler-packer` speaks for the host: where that executable is.

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

/** What the adapter may do when it runs from source, as its executable may. */
const PERMISSIONS = ["read", "write", "run", "env", "net"];

/** What a person is told where the adapter is missing. */
export const NO_ADAPTER =
  `is a plugin of Packer's, which ${ADAPTER} runs: put that executable beside baler, into a plugin directory or on PATH`;

/**
 * Finds the adapter: beside the host's executable, in the plugin directories, or on PATH. A host that runs from
 * source runs it from source, too.
 *
 * @param directories The directories in which plugins are looked for.
 * @returns Its command; undefined where there is none.
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

/** The directories of PATH. */
export function pathDirectories(): string[] {
  return (Deno.env.get("PATH") ?? "").split(DELIMITER)
    // A relative one would be below the directory of this run, which may be a stranger's.
    .filter((directory) => isAbsolute(directory));
}

/**
 * Finds an executable file.
 *
 * @param name Its name, without `.exe`.
 * @param directories Where it is looked for, the first first.
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
