// A plugin's directory as `deno task compile` reads it: main.ts, and what deno.json says about
// compiling it.

import { parse } from "@std/jsonc";
import { join, resolve } from "@std/path";
import type { Executable } from "./executables.ts";
import { isObject } from "../plugin/common/is_object.ts";
import {
  permissionFlags,
  type Permissions,
  withPermissions,
} from "./permissions.ts";

/** The names of a configuration file, in Deno's order. */
const CONFIG_NAMES = ["deno.json", "deno.jsonc"] as const;

/**
 * Reads the directory of a plugin: its executable is `main.ts`, compiled as `"compile"` in
 * deno.json (or deno.jsonc) says. `"permissions"` is required; `"include"` and `"exclude"` are
 * paths from that directory, as for `deno compile`.
 *
 * Deno 2.5 and newer read `"permissions"` themselves under `deno compile -P`. Here it is read for
 * every version of Deno.
 *
 * @param directory Absolute path of the directory.
 * @param name The name of the executable.
 * @param more Permissions that it gets beside those in deno.json.
 * @throws {TypeError} When deno.json is missing or not valid.
 */
export async function pluginExecutable(
  directory: string,
  name: string,
  more: Permissions = {},
): Promise<Executable> {
  const { path, config } = await readConfig(directory);
  const { compile } = config;
  const section = compile ?? {};
  if (!isObject(section)) {
    throw new TypeError(`${path}: "compile" must be an object`);
  }
  const { permissions, include, exclude, ...others } = section;
  const [other] = Object.keys(others);
  if (other !== undefined) {
    throw new TypeError(
      `${path}: "compile" has the key "${other}", which "deno task compile" does not support; ` +
        'it supports "permissions", "include" and "exclude"',
    );
  }
  if (permissions === undefined) {
    throw new TypeError(
      `${path}: add "compile": {"permissions": {…}} with what the plugin may do, {} for nothing`,
    );
  }
  const paths = (key: string, value: unknown) => {
    const list = stringList(value, `${path}: "compile"."${key}"`);
    return list.map((item) => resolve(directory, item));
  };
  return {
    name,
    entry: join(directory, "main.ts"),
    flags: permissionFlags(
      withPermissions(permissionSet(permissions, config, path), more),
      path,
    ),
    ...(include === undefined ? {} : { include: paths("include", include) }),
    ...(exclude === undefined ? {} : { exclude: paths("exclude", exclude) }),
  };
}

async function readConfig(
  directory: string,
): Promise<{ path: string; config: Record<string, unknown> }> {
  for (const name of CONFIG_NAMES) {
    const path = join(directory, name);
    let text: string;
    try {
      text = await Deno.readTextFile(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      throw new TypeError(
        `${path}: cannot be read: ${(error as Error).message}`,
        { cause: error },
      );
    }
    try {
      // Deno allows comments and trailing commas in both files.
      const config = parse(text);
      if (isObject(config)) return { path, config };
    } catch (error) {
      throw new TypeError(
        `${path}: cannot be read as JSON: ${(error as Error).message}`,
        { cause: error },
      );
    }
    throw new TypeError(`${path}: must be an object`);
  }
  throw new TypeError(
    `there is no plugin in ${directory}: it has no ${
      CONFIG_NAMES.join(" or ")
    }`,
  );
}

/** The permissions of `"compile"`: a set, or the name of one in `"permissions"`. */
function permissionSet(
  permissions: unknown,
  config: Record<string, unknown>,
  path: string,
): unknown {
  if (typeof permissions !== "string") return permissions;
  const sets = isObject(config.permissions) ? config.permissions : {};
  if (!Object.hasOwn(sets, permissions)) {
    throw new TypeError(
      `${path}: "compile" names the permissions "${permissions}", which "permissions" does not have`,
    );
  }
  return sets[permissions];
}

function stringList(value: unknown, where: string): string[] {
  if (
    Array.isArray(value) && value.every((item) => typeof item === "string")
  ) return value;
  throw new TypeError(`${where} must be a list of paths`);
}
