// The environment variables that configure baler, the directory of the user's
// configuration, and the Packer version whose templates baler reads.

import { isAbsolute, join } from "@std/path";
import { parseDuration } from "../../plugin/common/duration.ts";

/** The Packer version whose templates this baler reads. */
export const PACKER_VERSION = "1.6.6";

/** The environment variables that configure baler, without their prefix. */
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

/** The name of a setting, without its prefix. */
export type Setting = typeof SETTINGS[number];

/**
 * The value of a setting in the environment.
 *
 * @param name Its name without the prefix, for example `"LOG_PATH"`.
 * @returns The value of BALER_NAME or, where that is unset, of PACKER_NAME.
 */
export function setting(name: Setting): string | undefined {
  return Deno.env.get(`BALER_${name}`) ?? Deno.env.get(`PACKER_${name}`);
}

/**
 * A setting that is a duration: a number of seconds, or one with units such as
 * `1m30s`.
 *
 * @param name Its name without the prefix, for example `"PLUGIN_GRACE"`.
 * @returns Milliseconds, or undefined where the variable is not set.
 * @throws {Error} When it is not a duration.
 */
export function durationSetting(name: Setting): number | undefined {
  const text = setting(name);
  if (text === undefined || text === "") return undefined;
  const milliseconds = /^\d+(\.\d+)?$/.test(text)
    ? Number(text) * 1000
    : parseDuration(text);
  if (milliseconds === undefined || milliseconds <= 0) {
    throw new Error(
      `BALER_${name} must be a duration such as "90" (seconds) or "1m30s", not ${
        JSON.stringify(text)
      }`,
    );
  }
  return milliseconds;
}

/**
 * The directory of the user's configuration: `$XDG_CONFIG_HOME/baler`,
 * `~/.config/baler`, or `%APPDATA%\baler` on Windows.
 *
 * @returns Its absolute path, or undefined where the user has no home.
 */
export function configDirectory(): string | undefined {
  if (Deno.build.os === "windows") {
    const directory = Deno.env.get("APPDATA");
    return directory ? join(directory, "baler") : undefined;
  }
  const directory = Deno.env.get("XDG_CONFIG_HOME");
  // The XDG specification has a relative path ignored.
  if (directory && isAbsolute(directory)) return join(directory, "baler");
  const home = Deno.env.get("HOME");
  return home ? join(home, ".config", "baler") : undefined;
}
