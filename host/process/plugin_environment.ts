// The environment of a plugin: the host's own, without the variables that
// configure the host.

import { SETTINGS } from "../config/environment.ts";

/** The directory for downloads of plugins: the only `BALER_` variable that plugins read. */
const CACHE = "BALER_CACHE_DIR";

/** The names that the host's settings have in Packer. */
const PACKER_SETTINGS: ReadonlySet<string> = new Set(
  SETTINGS.map((name) => `PACKER_${name}`),
);

/**
 * The variables by which a plugin recognizes that Packer has started it. A plugin
 * that finds the cookie speaks Packer's protocol instead of baler's.
 */
const PACKER_PLUGIN_VARIABLES: ReadonlySet<string> = new Set([
  "PACKER_PLUGIN_MAGIC_COOKIE",
  "PACKER_PLUGIN_MIN_PORT",
  "PACKER_PLUGIN_MAX_PORT",
]);

/**
 * Returns the environment that a plugin gets unless it is given another.
 *
 * @param own The host's own environment.
 * @returns All of it but the variables whose names begin with `BALER_`, except
 * BALER_CACHE_DIR, the names of Packer's that configure baler too, and those
 * that Packer sets for its plugins.
 */
export function pluginEnvironment(
  own: Readonly<Record<string, string>> = Deno.env.toObject(),
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(own).filter(([name]) => !isHostSetting(name)),
  );
}

/** Identifies this run: a manifest distinguishes the artifacts of several runs by it. */
const RUN_ID = crypto.randomUUID();

/** Returns the environment of the plugins of a template's builds. */
export function runEnvironment(): Record<string, string> {
  return { ...pluginEnvironment(), PACKER_RUN_UUID: RUN_ID };
}

function isHostSetting(name: string): boolean {
  // On Windows the names of variables are case-insensitive.
  const known = Deno.build.os === "windows" ? name.toUpperCase() : name;
  return known.startsWith("BALER_")
    ? known !== CACHE
    : PACKER_SETTINGS.has(known) || PACKER_PLUGIN_VARIABLES.has(known);
}
