// The permissions of an executable: as deno.json declares them, and as flags of `deno compile`.

import { isObject } from "../plugin/common/is_object.ts";

/** A permission of Deno, by its name in deno.json and in flags. */
export type PermissionName =
  | "read"
  | "write"
  | "net"
  | "env"
  | "run"
  | "sys"
  | "ffi"
  | "import";

const NAMES: readonly string[] = [
  "read",
  "write",
  "net",
  "env",
  "run",
  "sys",
  "ffi",
  "import",
] satisfies PermissionName[];

/** Everything (`true`), nothing (`false`), or only the paths, hosts or names listed. */
export type Allowed = boolean | readonly string[];

/** A set of permissions in the shape of deno.json's `"compile": {"permissions": …}`. */
export type Permissions = {
  readonly [name in PermissionName]?: Allowed | {
    readonly allow?: Allowed;
    readonly deny?: Allowed;
  };
};

/**
 * Returns the flags that grant exactly `permissions`.
 *
 * The first is always `--no-prompt`: an executable that lacks a permission reports an error,
 * because a prompt could not be answered in a process whose stdin is the wire.
 *
 * @param permissions The value of `"compile": {"permissions": …}`, of any type.
 * @param where The place of `permissions`, for errors, such as `examples/x/deno.json`.
 * @throws {TypeError} When `permissions` is not a set of permissions. `all` is refused too: an
 * executable declares the permissions that it needs one by one.
 *
 * @example
 * ```ts
 * import { permissionFlags } from "./permissions.ts";
 * permissionFlags({ read: true, env: ["HOME"] }, "deno.json");
 * // ["--no-prompt", "--allow-read", "--allow-env=HOME"]
 * ```
 */
export function permissionFlags(permissions: unknown, where: string): string[] {
  if (!isObject(permissions)) {
    throw new TypeError(
      `${where}: permissions must be an object such as {"read": true}`,
    );
  }
  const flags = ["--no-prompt"];
  for (const [name, value] of Object.entries(permissions)) {
    if (!NAMES.includes(name)) {
      throw new TypeError(
        `${where}: no permission is named "${name}"; there are ${
          NAMES.join(", ")
        }`,
      );
    }
    const { allow, deny, ...others } = isObject(value)
      ? value
      : { allow: value };
    const [other] = Object.keys(others);
    if (other !== undefined) {
      throw new TypeError(
        `${where}: permission "${name}" may have "allow" and "deny", not "${other}"`,
      );
    }
    flags.push(
      ...flag(`--allow-${name}`, allow, where),
      ...flag(`--deny-${name}`, deny, where),
    );
  }
  return flags;
}

/**
 * Returns the permissions that flags of `deno compile` grant; the reverse of
 * {@linkcode permissionFlags}.
 *
 * @param flags The flags; others than those of permissions are skipped.
 * @returns Each permission: all, none, or the lists of what is allowed and denied.
 */
export function grantedPermissions(
  flags: readonly string[],
): Record<PermissionName, Allowed | { allow: Allowed; deny: Allowed }> {
  const isAll = flags.includes("--allow-all") || flags.includes("-A");
  const granted: Record<string, unknown> = {};
  for (const name of NAMES) {
    const allow = isAll || valueOf(flags, `--allow-${name}`);
    const deny = valueOf(flags, `--deny-${name}`);
    granted[name] = allow === false || deny === true
      ? false
      : deny === false
      ? allow
      : { allow, deny };
  }
  return granted as ReturnType<typeof grantedPermissions>;
}

/** The value of a flag with an optional list, in which a comma is written twice. */
function valueOf(flags: readonly string[], name: string): Allowed {
  const lists: string[] = [];
  for (const flag of flags) {
    if (flag === name) return true;
    if (!flag.startsWith(`${name}=`)) continue;
    const list = flag.slice(name.length + 1);
    lists.push(
      ...list.replaceAll(",,", "\0").split(",")
        .map((item) => item.replaceAll("\0", ",")),
    );
  }
  return lists.length > 0 && lists;
}

/**
 * Permissions with more added to them.
 *
 * @param permissions Read from a file, so of any type; returned unchanged where it is no object.
 * @param more What is added: lists join lists, and nothing is added to what is granted as a whole.
 */
export function withPermissions(
  permissions: unknown,
  more: Permissions,
): unknown {
  if (!isObject(permissions)) return permissions;
  const joined: Record<string, unknown> = { ...permissions };
  for (const [name, added] of Object.entries(more)) {
    const own = joined[name];
    joined[name] = isObject(own)
      ? { ...own, allow: join(own.allow, added) }
      : join(own, added);
  }
  return joined;
}

function join(own: unknown, added: unknown): unknown {
  if (own === undefined || own === false) return added;
  return Array.isArray(own) && Array.isArray(added) ? [...own, ...added] : own;
}

function flag(name: string, value: unknown, where: string): string[] {
  if (value === undefined || value === false) return [];
  if (value === true) return [name];
  if (
    !Array.isArray(value) ||
    !value.every((item) => typeof item === "string" && item !== "")
  ) {
    throw new TypeError(
      `${where}: ${name.slice(2)} must be true, false or a list of strings`,
    );
  }
  // An empty list grants nothing, but the flag without a list would grant everything.
  if (value.length === 0) return [];
  return [
    `${name}=${
      value.map((item: string) => item.replaceAll(",", ",,")).join(",")
    }`,
  ];
}
