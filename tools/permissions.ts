// What an executable may do, as deno.json writes it, turned into the flags of `deno compile`.

/** A permission of Deno's, by the name that deno.json and the flags share. */
export type PermissionName =
  | "read"
  | "write"
  | "net"
  | "env"
  | "run"
  | "sys"
  | "ffi"
  | "import";

const names: readonly string[] = [
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
 * The flags that grant exactly `permissions`.
 *
 * `--no-prompt` is always the first of them: an executable that lacks a permission reports an
 * error, since a question would go unanswered in a process whose stdin is a wire.
 *
 * @param permissions read from a file, so of any type.
 * @param where named in an error, such as `examples/x/deno.json`.
 * @throws {TypeError} when `permissions` is not in that shape. `all` is refused too: an
 * executable says what it needs, one permission at a time.
 *
 * @example
 * ```ts
 * import { permissionFlags } from "./permissions.ts";
 * permissionFlags({ read: true, env: ["HOME"] }, "deno.json");
 * // ["--no-prompt", "--allow-read", "--allow-env=HOME"]
 * ```
 */
export function permissionFlags(permissions: unknown, where: string): string[] {
  if (!isRecord(permissions)) {
    throw new TypeError(
      `${where}: permissions must be an object such as {"read": true}`,
    );
  }
  const flags = ["--no-prompt"];
  for (const [name, value] of Object.entries(permissions)) {
    if (!names.includes(name)) {
      throw new TypeError(
        `${where}: no permission is named "${name}"; there are ${
          names.join(", ")
        }`,
      );
    }
    const { allow, deny, ...others } = isRecord(value)
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
