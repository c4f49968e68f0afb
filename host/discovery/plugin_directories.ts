// The directories in which plugins are looked for by their names.

import { DELIMITER, dirname, isAbsolute, join, resolve } from "@std/path";
import { configDirectory, setting } from "../config/environment.ts";

/** A directory in which plugins are looked for. */
export interface PluginDirectory {
  /** Its absolute path. */
  readonly path: string;
  /** Why it is one, for example `"-plugin-dir"`. */
  readonly reason: string;
}

/**
 * The directories in which plugins are looked for, in order.
 *
 * @param options What the command line says: the directories of `-plugin-dir`.
 */
export function pluginDirectories(
  options: { pluginDir?: readonly string[] } = {},
): PluginDirectory[] {
  const directories = (options.pluginDir ?? []).map((path) => ({
    path: resolve(path),
    reason: "-plugin-dir",
  }));
  for (const path of pluginPath()) {
    if (!isAbsolute(path)) continue;
    directories.push({ path: resolve(path), reason: "BALER_PLUGIN_PATH" });
  }
  const ofUser = configDirectory();
  if (ofUser !== undefined) {
    directories.push({
      path: join(ofUser, "plugins"),
      reason: "your plugin directory",
    });
  }
  // Run from source, the executable is Deno's, not baler's.
  if (Deno.build.standalone) {
    directories.push({
      path: dirname(Deno.execPath()),
      reason: "the directory of the baler executable",
    });
  }
  return directories.filter(({ path }, index) =>
    directories.findIndex((other) => other.path === path) === index
  );
}

/**
 * What is to be told about BALER_PLUGIN_PATH: relative paths in it are not
 * used. They would run the code of whatever directory baler is started in.
 */
export function pluginPathWarnings(): string[] {
  return pluginPath().filter((path) => !isAbsolute(path)).map((path) =>
    `"${path}" in BALER_PLUGIN_PATH is ignored, since it is a relative path; write an absolute one, or -plugin-dir=${path}`
  );
}

function pluginPath(): string[] {
  const paths = setting("PLUGIN_PATH") ?? "";
  return paths.split(DELIMITER).filter((path) => path !== "");
}
