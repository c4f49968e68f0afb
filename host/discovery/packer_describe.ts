// Reads from a plugin of Packer's which components it serves (`PLUGIN describe`).

import type { PluginKind } from "./plugin_table.ts";

/** The name in a description of the component that has the name of the plugin itself. */
const DEFAULT_NAME = "-packer-default-plugin-name-";

/** How long a plugin may take to describe itself, in milliseconds. */
const TIMEOUT_MS = 60_000;

const KEYS = [
  ["builder", "builders"],
  ["provisioner", "provisioners"],
  ["post-processor", "post_processors"],
] as const;

/** The description of a plugin of Packer's. */
export interface PackerDescription {
  /** Its version; "" when the description has none. */
  readonly version: string;
  /** The types of its components in a template, by kind. */
  readonly components: Partial<Record<PluginKind, string[]>>;
}

/**
 * Asks a plugin to describe itself.
 *
 * @param path The path of its executable.
 * @param plugin The plugin's name.
 * @returns The description; undefined when the plugin does not print a valid one.
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
