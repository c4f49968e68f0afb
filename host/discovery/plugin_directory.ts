// A plugin folder: which of its files are plugins, by their names, and which
// only look like it.

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
  /** Why it is no plugin after all, as the end of a sentence that begins with its path. */
  readonly obstacle?: string;
}

const NAME = new RegExp(
  `^(baler|packer)-(${[...PLUGIN_KINDS.keys()].join("|")})-(.+?)$`,
);

/**
 * The files of a folder that are named like plugins; none where there is no
 * such folder.
 *
 * @param folder Its path.
 */
export function filesOf(folder: string): PluginFile[] {
  let names: string[];
  try {
    names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  } catch {
    // A folder that is not there, or may not be read, has no plugins to offer.
    return [];
  }
  return names.flatMap((file) => pluginFile(folder, file) ?? []);
}

function pluginFile(folder: string, file: string): PluginFile | undefined {
  const isWindows = Deno.build.os === "windows";
  const [, maker, kind, name] = NAME.exec(file.replace(/\.exe$/i, "")) ?? [];
  if (maker === undefined) return undefined;
  // A build often leaves files like baler-builder-x.d beside the executable.
  const path = join(folder, file);
  const info = infoOf(path);
  if (info === undefined || !(info.isFile || info.isDirectory)) {
    return undefined;
  }
  const obstacle = info.isDirectory
    ? "is a folder: put the executable itself there"
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
