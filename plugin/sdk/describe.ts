// `PLUGIN describe`: prints the components and the permissions of a plugin as JSON,
// for users and programs that decide whether to run it.

import type { Hello } from "../rpc/protocol.ts";

/** A permission: all, none, or only what is listed. */
export type Permission =
  | boolean
  | readonly string[]
  | { allow: boolean | readonly string[]; deny: boolean | readonly string[] }
  | "partial";

/** The output of `PLUGIN describe`. */
export interface Description {
  /** The plugin's own version. */
  version: string | null;
  /** The version of the library that the plugin is written with. */
  sdk: string;
  /** The protocol versions that the plugin supports. */
  protocols: number[];
  /** The names of the plugin's components by kind; "" stands for any name. */
  components: Record<string, string[]>;
  /** The Deno permissions that the plugin has. */
  permissions: Record<string, Permission>;
  /** Set when the lists of granted permissions are not known. */
  note?: string;
}

const NAMES = [
  "read",
  "write",
  "net",
  "env",
  "run",
  "sys",
  "ffi",
  "import",
] as const;

/** The kinds of information that the permission `sys` consists of. */
const SYS_KINDS = [
  "hostname",
  "osRelease",
  "osUptime",
  "loadavg",
  "networkInterfaces",
  "systemMemoryInfo",
  "uid",
  "gid",
  "username",
  "cpus",
  "homedir",
  "statfs",
  "getPriority",
  "setPriority",
  "userInfo",
] as const;

const NOTE =
  'a permission that is granted for a list only is shown as false, unless "deno task compile" made the plugin';

/**
 * Describes this plugin.
 *
 * @param hello The plugin's side of the handshake.
 * @returns The output of `describe`.
 */
export function describe(hello: Hello): Description {
  const recorded = recordedPermissions();
  const permissions = recorded ?? queriedPermissions();
  return {
    version: hello.version ?? null,
    sdk: hello.sdk,
    protocols: hello.protocols,
    components: hello.components,
    permissions,
    ...(recorded === undefined && Object.values(permissions).includes(false)
      ? { note: NOTE }
      : {}),
  };
}

/** The permissions that `deno task compile` records in an executable. */
function recordedPermissions(): Record<string, Permission> | undefined {
  return (globalThis as Record<symbol, unknown>)[
    Symbol.for("baler.permissions")
  ] as Record<string, Permission> | undefined;
}

/** Queries the permissions at run time; Deno does not report the lists. */
function queriedPermissions(): Record<string, Permission> {
  const permissions: Record<string, Permission> = {};
  for (const name of NAMES) permissions[name] = query({ name });
  if (permissions.sys === false) {
    const kinds = SYS_KINDS.filter((kind) => {
      try {
        return query({ name: "sys", kind } as Deno.SysPermissionDescriptor);
      } catch {
        // This version of Deno does not have this kind.
        return false;
      }
    });
    if (kinds.length > 0) permissions.sys = kinds;
  }
  return permissions;
}

function query(
  descriptor: Deno.PermissionDescriptor | { name: "import" },
): boolean | "partial" {
  const { state, partial } = Deno.permissions.querySync(
    descriptor as Deno.PermissionDescriptor,
  ) as Deno.PermissionStatus & { partial: boolean };
  return partial ? "partial" : state === "granted";
}
