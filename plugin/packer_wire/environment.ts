// The environment that Packer has given a plugin, as far as the plugin may look.

/**
 * A variable of the environment.
 *
 * @param name Its name.
 * @returns Its value; undefined where it is not set, or the plugin has no permission to read it.
 */
export function environment(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch {
    return undefined;
  }
}
