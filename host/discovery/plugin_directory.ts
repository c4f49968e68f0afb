// The files of one directory that are plugins, by their names, and those that
// only look like plugins.

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
  /** Why it cannot be used, as the end of a sentence that begins with its path. */
  readonly obstacle?: string;
}

const NAME = new RegExp(
  `^(baler|packer)-(${[...PLUGIN_KINDS.keys()].join("|")})-(.+?)$`,
);

/**
 * The files of a directory that are named like plugins; none where there is no
 * such directory.
 *
 * @param directory Its path.
 */
export function filesOf(directory: string): PluginFile[] {
  let names: string[];
  try {
    names = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
  } catch {
    // A directory that is not there, or may not be read, has no plugins to offer.
    return [];
  }
  return names.flatMap((file) => pluginFile(directory, file) ?? []);
}

function pluginFile(directory: string, file: string): PluginFile | undefined {
  const isWindows = Deno.build.os === "windows";
  const [, maker, kind, name] = NAME.exec(file.replace(/\.exe$/i, "")) ?? [];
  if (maker === undefined) return undefined;
  // A build often leaves files like baler-builder-x.d beside the executable.
  const path = join(directory, file);
  const info = infoOf(path);
  if (info === undefined || !(info.isFile || info.isDirectory)) {
    return undefined;
  }
  const obstacle = info.isDirectory
    ? "is a directory: put the executable itself there"
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
