// `PLUGIN describe`: prints the components and the permissions of a plugin as JSON,
// for users and programs that decide whether to run it.

import type { Options } from "../contract/options.ts";
import type { Hello } from "../rpc/protocol.ts";
import { checkOptions } from "./check_options.ts";
import { type Components, instanceOf } from "./components.ts";
import { optionsSchema } from "./options_schema.ts";
import type { Schema } from "./schema_values.ts";

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
  /**
   * The JSON Schema of each component's configuration, by kind and name, without
   * the keys that baler itself reads; of a component that declares no options,
   * none.
   */
  options: Record<string, Record<string, Schema>>;
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
 * @param components The components, each of which is made once to read its options.
 * @returns The output of `describe`.
 */
export async function describe(
  hello: Hello,
  components: Components,
): Promise<Description> {
  const recorded = recordedPermissions();
  const permissions = recorded ?? queriedPermissions();
  return {
    version: hello.version ?? null,
    sdk: hello.sdk,
    protocols: hello.protocols,
    components: hello.components,
    options: await schemasOf(components),
    permissions,
    ...(recorded === undefined && Object.values(permissions).includes(false)
      ? { note: NOTE }
      : {}),
  };
}

async function schemasOf(
  components: Components,
): Promise<Record<string, Record<string, Schema>>> {
  const schemas: Record<string, Record<string, Schema>> = {};
  for (const [kind, byName] of Object.entries(components)) {
    for (const [name, source] of Object.entries(byName ?? {})) {
      try {
        const { options } = await instanceOf(source, name) as {
          options?: Options;
        };
        if (options === undefined) continue;
        checkOptions(options);
        (schemas[kind] ??= {})[name] = optionsSchema(options, {});
      } catch (error) {
        // The rest of the description is of use, to Packer too.
        console.error(
          `The options of the ${kind} "${name}" are left out: ${
            (error as Error).message
          }`,
        );
      }
    }
  }
  return schemas;
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
