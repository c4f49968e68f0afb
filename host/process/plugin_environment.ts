// What a plugin sees of the host's environment: all but what steers the host.
// Where its log goes and which plugins it finds is not theirs to know.

import { SETTINGS } from "../config/environment.ts";

/** Where what a plugin fetches belongs: of baler's own variables, the one for plugins. */
const CACHE = "BALER_CACHE_DIR";

/** What a person who comes from Packer may call the host's settings. */
const PACKERS: ReadonlySet<string> = new Set(
  SETTINGS.map((name) => `PACKER_${name}`),
);

/**
 * Packer's own plugins get these, and so does what they start: a plugin that sees
 * the cookie speaks to Packer instead of baler.
 */
const PACKER_PLUGIN_VARIABLES: ReadonlySet<string> = new Set([
  "PACKER_PLUGIN_MAGIC_COOKIE",
  "PACKER_PLUGIN_MIN_PORT",
  "PACKER_PLUGIN_MAX_PORT",
]);

/**
 * The environment that a plugin gets unless it is given another.
 *
 * @param own The host's own environment.
 * @returns All of it but the variables whose names begin with `BALER_`, except
 * BALER_CACHE_DIR, those of Packer's that steer baler too, and those by which
 * Packer's plugins know that Packer started them.
 */
export function pluginEnvironment(
  own: Readonly<Record<string, string>> = Deno.env.toObject(),
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(own).filter(([name]) => !isHosts(name)),
  );
}

/** By it a manifest tells the artifacts of one run from those of another. */
const RUN = crypto.randomUUID();

/** The environment that the plugins of a template's builds get. */
export function runEnvironment(): Record<string, string> {
  return { ...pluginEnvironment(), PACKER_RUN_UUID: RUN };
}

function isHosts(name: string): boolean {
  // On Windows the case of a name means nothing.
  const known = Deno.build.os === "windows" ? name.toUpperCase() : name;
  return known.startsWith("BALER_")
    ? known !== CACHE
    : PACKERS.has(known) || PACKER_PLUGIN_VARIABLES.has(known);
}
