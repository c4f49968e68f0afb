// Finds the plugins in one directory by their file names, and the files that are
// named like plugins but cannot be used.

import { join } from "@std/path";
import { PLUGIN_KINDS, type PluginKind } from "./plugin_table.ts";

/** A file that is named like a plugin. */
export interface PluginFile {
  /** Its path. */
  readonly path: string;
  /** The kind of component that it serves. */
  readonly kind: PluginKind;
  /** The component's name. */
  readonly name: string;
  /** Why it cannot be used, as a predicate whose subject is its path. */
  readonly obstacle?: string;
}

const NAME = new RegExp(
  `^(baler|packer)-(${[...PLUGIN_KINDS.keys()].join("|")})-(.+?)$`,
);

/**
 * Returns the files of a directory that are named like plugins; none when the
 * directory does not exist.
 *
 * @param directory Its path.
 */
export function filesOf(directory: string): PluginFile[] {
  let names: string[];
  try {
    names = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
  } catch {
    // A directory that does not exist or cannot be read has no plugins.
    return [];
  }
  return names.flatMap((file) => pluginFile(directory, file) ?? []);
}

function pluginFile(directory: string, file: string): PluginFile | undefined {
  const isWindows = Deno.build.os === "windows";
  const [, maker, kind, name] = NAME.exec(file.replace(/\.exe$/i, "")) ?? [];
  if (maker === undefined) return undefined;
  // A compiler may leave files such as baler-builder-x.d next to the executable.
  const path = join(directory, file);
  const info = infoOf(path);
  if (info === undefined || !(info.isFile || info.isDirectory)) {
    return undefined;
  }
  const obstacle = info.isDirectory
    ? "is a directory: put the executable itself in its place"
    : isWindows
    ? /\.exe$/i.test(file)
      ? undefined
      : "is not executable: on Windows its name ends in .exe"
    : ((info.mode ?? 0) & 0o111) === 0
    ? `is not executable: run "chmod +x ${path}"`
    : undefined;
  const plugin = { path, kind: kind as PluginKind, name: name! };
  return obstacle === undefined ? plugin : { ...plugin, obstacle };
}

function infoOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}
