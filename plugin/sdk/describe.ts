// `PLUGIN describe`: what a plugin serves and may do, as JSON, for people and
// programs that want to know before they run it.

import type { Hello } from "../rpc/protocol.ts";

/** What `PLUGIN describe` prints. */
export interface Description {
  /** The plugin's own version. */
  version: string | null;
  /** The version of the library that it is written with. */
  sdk: string;
  /** The protocol versions that it speaks. */
  protocols: number[];
  /** By kind, the names of its components; "" serves under any name. */
  components: Record<string, string[]>;
  /** The Deno permissions that it was compiled with. */
  permissions: Record<string, boolean | "partial">;
}

const PERMISSIONS = [
  "read",
  "write",
  "net",
  "env",
  "run",
  "sys",
  "ffi",
  "import",
] as const;

/**
 * Describes this plugin.
 *
 * @param hello What it says of itself to the host.
 */
export function describe(hello: Hello): Description {
  const permissions: Description["permissions"] = {};
  for (const name of PERMISSIONS) {
    const { state, partial } = Deno.permissions.querySync(
      { name } as Deno.PermissionDescriptor,
    ) as Deno.PermissionStatus & { partial: boolean };
    permissions[name] = partial ? "partial" : state === "granted";
  }
  return {
    version: hello.version ?? null,
    sdk: hello.sdk,
    protocols: hello.protocols,
    components: hello.components,
    permissions,
  };
}
