// The directories in which plugins are searched for by name.

import { DELIMITER, dirname, isAbsolute, join, resolve } from "@std/path";
import { configDirectory, setting } from "../config/environment.ts";

/** A plugin directory. */
export interface PluginDirectory {
  /** Its absolute path. */
  readonly path: string;
  /** Why it is searched, for example `"-plugin-dir"`. */
  readonly reason: string;
}

/**
 * Returns the plugin directories, in the order in which they are searched.
 *
 * @param options The directories of `-plugin-dir`.
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
  // When baler runs from source, the executable is Deno's.
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
 * Returns warnings about relative paths in BALER_PLUGIN_PATH. They are ignored,
 * since they would run code from any working directory.
 */
export function pluginPathWarnings(): string[] {
  return pluginPath().filter((path) => !isAbsolute(path)).map((path) =>
    `"${path}" in BALER_PLUGIN_PATH is ignored, since it is a relative path; use an absolute path, or -plugin-dir=${path}`
  );
}

function pluginPath(): string[] {
  const paths = setting("PLUGIN_PATH") ?? "";
  return paths.split(DELIMITER).filter((path) => path !== "");
}
