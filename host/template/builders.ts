// The builders of a template: a list as in Packer, or an object from the build's
// name to its plugin.

import { basename } from "@std/path";
import type { JsonPath } from "../json/json_document.ts";
import {
  isPath,
  type PluginCommand,
  readPluginCommand,
} from "../discovery/plugin_table.ts";
import { type Diagnostics, Fields } from "../json/fields.ts";
import { describeType, isObject, type JsonObject } from "../json/json_value.ts";

/** A builder of a template. */
export interface BuilderEntry {
  /** Its name before interpolation: the `name`, or else the `type`; for a path, the plugin's name. */
  readonly name: string;
  /** The type of the builder. */
  readonly type: string;
  /** Its configuration, without the keys that the host reads. */
  readonly config: JsonObject;
  /** Its path in the document. */
  readonly at: JsonPath;
  /** The command that starts its plugin, where the entry gives one. */
  readonly plugin?: PluginCommand;
}

/**
 * Reads a template's `builders`.
 *
 * @param value The value in the document.
 * @param path The path of the value.
 * @param directory The template's directory.
 * @param problems Collects the problems.
 */
export function readBuilders(
  value: unknown,
  path: JsonPath,
  directory: string,
  problems: Diagnostics,
): BuilderEntry[] {
  if (value === null) return [];
  if (isObject(value)) return readNamed(value, path, directory, problems);
  if (!Array.isArray(value)) {
    problems.add(
      path,
      `'builders': source data must be an array or slice, got ${
        describeType(value)
      }; write a list of builders, or an object from name to plugin path`,
    );
    return [];
  }
  const names = new Set<string>();
  const builders: BuilderEntry[] = [];
  for (const [index, raw] of value.entries()) {
    const builder = readOne(raw, index, [...path, index], problems);
    if (builder === undefined) continue;
    if (names.has(builder.name)) {
      problems.add(
        [...path, index],
        `builder ${
          index + 1
        }: builder with name '${builder.name}' already exists; give it another "name"`,
      );
      continue;
    }
    names.add(builder.name);
    builders.push(builder);
  }
  return builders;
}

/** Returns the build name of a type: of a path, the plugin's name. */
function nameOfType(type: string): string {
  if (!isPath(type)) return type;
  const file = basename(type).replace(/\.exe$/, "");
  return file.replace(/^baler-builder-(?=.)/, "");
}

function readOne(
  raw: unknown,
  index: number,
  at: JsonPath,
  problems: Diagnostics,
): BuilderEntry | undefined {
  const label = `builder ${index + 1}: `;
  if (!isObject(raw)) {
    problems.add(
      at,
      `${label}expected a map, got ${describeType(raw)}; write {"type": "..."}`,
    );
    return undefined;
  }
  const fields = new Fields(raw, at, label, "weak", problems);
  const type = fields.string("type");
  const name = fields.string("name");
  if (type === "") {
    problems.add(
      at,
      `${label}missing 'type'; name the builder, for example "file"`,
    );
  }
  if (!type || name === undefined) return undefined;
  return {
    name: name || nameOfType(type),
    type,
    config: fields.without(["name", "type"]),
    at,
  };
}

function readNamed(
  builders: JsonObject,
  path: JsonPath,
  directory: string,
  problems: Diagnostics,
): BuilderEntry[] {
  return Object.entries(builders).flatMap(([name, raw]): BuilderEntry[] => {
    const at = [...path, name];
    const label = `builder "${name}": `;
    if (name === "") {
      problems.add(at, `${label}a build needs a name`, "key");
      return [];
    }
    if (!isObject(raw)) {
      const plugin = readPluginCommand(raw, at, directory, problems);
      return plugin === undefined
        ? []
        : [{ name, type: servedName(plugin) ?? name, config: {}, at, plugin }];
    }
    if (!Object.hasOwn(raw, "plugin")) {
      problems.add(
        at,
        `${label}missing 'plugin'; give the path of its plugin, or write "builders" as a list`,
      );
      return [];
    }
    const fields = new Fields(raw, at, label, "weak", problems);
    const type = fields.string("type");
    if (Object.hasOwn(raw, "name")) {
      problems.add(
        [...at, "name"],
        `${label}its name is the key; remove "name"`,
        "key",
      );
    }
    const plugin = readPluginCommand(
      raw.plugin,
      [...at, "plugin"],
      directory,
      problems,
    );
    if (plugin === undefined || type === undefined) return [];
    return [{
      name,
      type: type || (servedName(plugin) ?? name),
      config: fields.without(["name", "type", "plugin"]),
      at,
      plugin,
    }];
  });
}

/** Returns the builder that an executable serves, by the executable's name. */
function servedName(plugin: PluginCommand): string | undefined {
  for (const path of [plugin[0]!, plugin.at(-1)!]) {
    const name = /^baler-builder-(.+?)(?:\.exe)?$/.exec(basename(path))?.[1];
    if (name !== undefined) return name;
  }
}
