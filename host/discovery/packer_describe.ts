// Asks a plugin of Packer's which components it serves.

import type { PluginKind } from "./plugin_table.ts";

/** The name by which a plugin describes the component that is called like the plugin itself. */
const DEFAULT_NAME = "-packer-default-plugin-name-";

/** How long a plugin may take to describe itself. */
const TIMEOUT_MS = 60_000;

const KEYS = [
  ["builder", "builders"],
  ["provisioner", "provisioners"],
  ["post-processor", "post_processors"],
] as const;

/**
 * Asks a plugin for its components.
 *
 * @param path The path of its executable.
 * @param plugin The plugin's name.
 * @returns By kind, the names by which a template calls them; undefined when the plugin does not tell.
 */
export async function componentsOf(
  path: string,
  plugin: string,
): Promise<Partial<Record<PluginKind, string[]>> | undefined> {
  let description: Record<string, unknown>;
  try {
    const { success, stdout } = await new Deno.Command(path, {
      args: ["describe"],
      stdin: "null",
      stderr: "null",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).output();
    if (!success) return undefined;
    description = JSON.parse(new TextDecoder().decode(stdout));
  } catch {
    return undefined;
  }
  if (typeof description !== "object" || description === null) return undefined;
  return Object.fromEntries(KEYS.map(([kind, key]) => {
    const names = description[key];
    return [
      kind,
      (Array.isArray(names) ? names.map(String) : []).map((name) =>
        name === DEFAULT_NAME ? plugin : `${plugin}-${name}`
      ),
    ];
  }));
}
