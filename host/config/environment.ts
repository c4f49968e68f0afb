// The environment: the variables that steer baler, the folders that it uses,
// and the Packer version whose templates it reads.

import { DELIMITER, dirname, isAbsolute, join, resolve } from "@std/path";
import { parseDuration } from "../../plugin/common/duration.ts";

/** The Packer version whose templates this baler reads. */
export const PACKER_VERSION = "1.6.6";

/** The variables that steer baler, by their names behind the prefix. */
export const SETTINGS = [
  "CONFIG",
  "LOG",
  "LOG_PATH",
  "NO_COLOR",
  "PLUGIN_ANSWER_TIMEOUT",
  "PLUGIN_GRACE",
  "PLUGIN_PATH",
  "PLUGIN_START_TIMEOUT",
] as const;

/** One of the variables that steer baler. */
export type Setting = typeof SETTINGS[number];

/**
 * A variable of the environment that steers baler.
 *
 * @param name Its name behind the prefix, for example `"LOG_PATH"`.
 * @returns The value of BALER_NAME or, where that is unset, of PACKER_NAME.
 */
export function setting(name: Setting): string | undefined {
  return Deno.env.get(`BALER_${name}`) ?? Deno.env.get(`PACKER_${name}`);
}

/**
 * A variable of the environment that is a length of time: a number of seconds,
 * or one with units such as `1m30s`.
 *
 * @param name Its name behind the prefix, for example `"PLUGIN_GRACE"`.
 * @returns Milliseconds, or undefined where the variable is not set.
 * @throws {Error} When it is no length of time.
 */
export function durationSetting(name: Setting): number | undefined {
  const text = setting(name);
  if (text === undefined || text === "") return undefined;
  const milliseconds = /^\d+(\.\d+)?$/.test(text)
    ? Number(text) * 1000
    : parseDuration(text);
  if (milliseconds === undefined || milliseconds <= 0) {
    throw new Error(
      `BALER_${name} takes a length of time such as "90" (seconds) or "1m30s", not ${
        JSON.stringify(text)
      }`,
    );
  }
  return milliseconds;
}

/**
 * The folder of the person's configuration: `$XDG_CONFIG_HOME/baler`,
 * `~/.config/baler`, or `%APPDATA%\baler` on Windows.
 *
 * @returns Its absolute path, or undefined where the person has no home.
 */
export function configFolder(): string | undefined {
  if (Deno.build.os === "windows") {
    const folder = Deno.env.get("APPDATA");
    return folder ? join(folder, "baler") : undefined;
  }
  const folder = Deno.env.get("XDG_CONFIG_HOME");
  // The XDG specification has a relative path ignored.
  if (folder && isAbsolute(folder)) return join(folder, "baler");
  const home = Deno.env.get("HOME");
  return home ? join(home, ".config", "baler") : undefined;
}

/**
 * The folder of the plugins that the person installed.
 *
 * @returns Its absolute path, or undefined where the person has no home.
 */
function userPluginFolder(): string | undefined {
  const folder = configFolder();
  return folder && join(folder, "plugins");
}

/** A folder in which plugins are looked for. */
export interface PluginFolder {
  /** Its absolute path. */
  readonly path: string;
  /** Why it is one, for example `"-plugin-dir"`. */
  readonly reason: string;
}

/**
 * The folders in which plugins are looked for, the first first.
 *
 * @param options What the command line says: the folders of `-plugin-dir`.
 */
export function pluginFolders(
  options: { pluginDir?: readonly string[] } = {},
): PluginFolder[] {
  const folders = (options.pluginDir ?? []).map((path) => ({
    path: resolve(path),
    reason: "-plugin-dir",
  }));
  const fromEnvironment = setting("PLUGIN_PATH") ?? "";
  for (const path of fromEnvironment.split(DELIMITER)) {
    if (path === "") continue;
    folders.push({ path: resolve(path), reason: "BALER_PLUGIN_PATH" });
  }
  const ofUser = userPluginFolder();
  if (ofUser !== undefined) {
    folders.push({ path: ofUser, reason: "your plugin folder" });
  }
  // Run from source, the executable is Deno's, and its folder has no say.
  if (Deno.build.standalone) {
    folders.push({
      path: dirname(Deno.execPath()),
      reason: "the folder of the baler executable",
    });
  }
  return folders.filter(({ path }, index) =>
    folders.findIndex((other) => other.path === path) === index
  );
}
