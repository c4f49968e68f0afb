// Asks a plugin of Packer's what it serves.

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

/** What a plugin of Packer's tells about itself. */
export interface PackerDescription {
  /** Its version; empty where it tells none. */
  readonly version: string;
  /** By kind, the names by which a template calls its components. */
  readonly components: Partial<Record<PluginKind, string[]>>;
}

/**
 * Asks a plugin to describe itself.
 *
 * @param path The path of its executable.
 * @param plugin The plugin's name.
 * @returns Undefined when the plugin does not tell.
 */
export async function describePackerPlugin(
  path: string,
  plugin: string,
): Promise<PackerDescription | undefined> {
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
  const components = Object.fromEntries(KEYS.map(([kind, key]) => {
    const names = description[key];
    return [
      kind,
      (Array.isArray(names) ? names.map(String) : []).map((name) =>
        name === DEFAULT_NAME ? plugin : `${plugin}-${name}`
      ),
    ];
  }));
  const { version } = description;
  return { version: typeof version === "string" ? version : "", components };
}
