// A plugin table: the commands of plugins, by kind and name. A template and the core
// configuration can each have one.

import { isAbsolute, resolve } from "@std/path";
import type { JsonPath } from "../json/json_document.ts";
import type { Diagnostics } from "../json/fields.ts";
import { describeType, isObject } from "../json/json_value.ts";

/** The kinds of component. */
export type PluginKind =
  | "builder"
  | "provisioner"
  | "post-processor"
  | "command"
  | "hook";

/** The kinds of component, each with its key in a table. */
export const PLUGIN_KINDS: ReadonlyMap<PluginKind, string> = new Map([
  ["builder", "builders"],
  ["provisioner", "provisioners"],
  ["post-processor", "post-processors"],
  ["command", "commands"],
  ["hook", "hooks"],
]);

/** The command that starts a plugin: an executable and its arguments. */
export type PluginCommand = readonly string[];

/** One plugin in a table. */
export interface PluginTableEntry {
  /** The command that starts it. */
  readonly argv: PluginCommand;
  /** The file that contains the entry. */
  readonly source: string;
  /** The line of the entry, from 1. */
  readonly line: number;
  /** The path of the entry in the file. */
  readonly at: JsonPath;
}

/** The commands of plugins, by kind and name. */
export type PluginTable = Readonly<
  Record<PluginKind, ReadonlyMap<string, PluginTableEntry>>
>;

/** Returns a table without plugins. */
export function emptyPluginTable(): Record<
  PluginKind,
  Map<string, PluginTableEntry>
> {
  return {
    builder: new Map(),
    provisioner: new Map(),
    "post-processor": new Map(),
    command: new Map(),
    hook: new Map(),
  };
}

/**
 * Reads a plugin table.
 *
 * @param value The value in the document.
 * @param path The path of the value.
 * @param directory The base directory of relative paths.
 * @param problems Collects the problems.
 */
export async function readPluginTable(
  value: unknown,
  path: JsonPath,
  directory: string,
  problems: Diagnostics,
): Promise<PluginTable> {
  const table = emptyPluginTable();
  if (value === null || value === undefined) return table;
  if (!isObject(value)) {
    problems.add(
      path,
      `expected an object of plugins by kind, got ${
        describeType(value)
      }; write it like ${EXAMPLE}`,
    );
    return table;
  }
  const kinds = new Map(
    [...PLUGIN_KINDS].map(([kind, plural]) => [plural, kind]),
  );
  for (const [plural, plugins] of Object.entries(value)) {
    const at = [...path, plural];
    const kind = kinds.get(plural);
    if (kind === undefined) {
      if (!plural.startsWith("_")) {
        await problems.addUnknownKey(at, `unknown key "${plural}"`, [
          ...kinds.keys(),
        ]);
      }
    } else if (isObject(plugins)) {
      for (const [name, command] of Object.entries(plugins)) {
        const entry = readEntry(command, [...at, name], directory, problems);
        if (entry !== undefined) table[kind].set(name, entry);
      }
    } else if (plugins !== null) {
      problems.add(
        at,
        `"${plural}" must be an object from name to path, not ${
          describeType(plugins)
        }; write it like ${EXAMPLE}`,
      );
    }
  }
  return table;
}

const EXAMPLE =
  '{"builders": {"custom-cloud": "/opt/baler-builder-custom-cloud"}}';

function readEntry(
  command: unknown,
  at: JsonPath,
  directory: string,
  problems: Diagnostics,
): PluginTableEntry | undefined {
  const argv = readPluginCommand(command, at, directory, problems);
  if (argv === undefined) return undefined;
  const { source } = problems.document;
  return { argv, source, line: problems.document.locate(at).line, at };
}

/**
 * Reads the command of a plugin: a path, or a list of a path or command name and its
 * arguments. A string that starts with `./` or `../` is a path relative to
 * `directory`, not to the working directory.
 *
 * @param value The value in the document.
 * @param path The path of the value.
 * @param directory The base directory of relative paths.
 * @param problems Collects the problems.
 * @returns The command; undefined when it is not valid.
 */
export function readPluginCommand(
  value: unknown,
  path: JsonPath,
  directory: string,
  problems: Diagnostics,
): PluginCommand | undefined {
  if (typeof value === "string") {
    const executable = readPath(value, directory);
    if (executable === undefined) {
      problems.add(
        path,
        `"${value}" is not the path of a plugin: a path starts with ${
          Deno.build.os === "windows" ? "C:\\" : "/"
        }, ./ or ../; for a command on PATH write ["${value}"]`,
      );
    }
    return executable === undefined ? undefined : [executable];
  }
  if (
    !Array.isArray(value) || value.length === 0 ||
    !value.every((word) => typeof word === "string")
  ) {
    problems.add(
      path,
      `a plugin is a path or a list of strings such as ["ssh", "build1", "/opt/plugin"], not ${
        Array.isArray(value)
          ? value.length === 0 ? "an empty list" : "this list"
          : describeType(value)
      }`,
    );
    return undefined;
  }
  const [first, ...args] = value as [string, ...string[]];
  const executable = readPath(first, directory) ??
    (/^[^/\\]+$/.test(first) ? first : undefined);
  if (executable === undefined) {
    problems.add(
      [...path, 0],
      `"${first}" is neither a command name nor a path that starts with /, ./ or ../`,
    );
    return undefined;
  }
  return [
    executable,
    ...args.map((word) => isRelative(word) ? resolve(directory, word) : word),
  ];
}

/** Whether a string has the form of a path: absolute, or starting with ./ or ../. */
export function isPath(text: string): boolean {
  return isAbsolute(text) || isRelative(text);
}

function isRelative(text: string): boolean {
  return /^\.\.?[/\\]/.test(text);
}

function readPath(text: string, directory: string): string | undefined {
  return isPath(text) ? resolve(directory, text) : undefined;
}
