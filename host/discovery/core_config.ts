// The core configuration: the user's file with the paths of plugins for all
// templates.

import { dirname, join, resolve } from "@std/path";
import { configDirectory } from "../config/environment.ts";
import { type JsonDocument, parseJsonDocument } from "../json/json_document.ts";
import {
  emptyPluginTable,
  PLUGIN_KINDS,
  type PluginTable,
  readPluginCommand,
  readPluginTable,
} from "./plugin_table.ts";
import { readText } from "../json/read_text_file.ts";
import { Diagnostics } from "../json/fields.ts";
import { describeType, isObject } from "../json/json_value.ts";

/** The core configuration. */
export interface CoreConfig {
  /** The commands of its plugins. */
  readonly plugins: PluginTable;
  /** The file's absolute path, even if it does not exist; absent when the user has no home directory. */
  readonly source?: string;
}

/**
 * Reads the core configuration: the file that BALER_CONFIG names, or else
 * PACKER_CONFIG, or else `config.json` in the user's configuration directory.
 *
 * The file that PACKER_CONFIG names may be Packer's own configuration, so unknown
 * keys in it are ignored.
 *
 * @returns The configuration; an empty one when the file does not exist.
 * @throws {SourceError} With all problems of the file.
 * @throws {Error} When BALER_CONFIG names a file that cannot be read.
 */
export async function readCoreConfig(): Promise<CoreConfig> {
  const own = Deno.env.get("BALER_CONFIG");
  if (own) return await read(resolve(own), readPluginTable);
  const packers = own === undefined ? Deno.env.get("PACKER_CONFIG") : undefined;
  if (packers) {
    const source = resolve(packers);
    return await exists(source)
      ? await read(source, readPackersTable)
      : { plugins: emptyPluginTable(), source };
  }
  const directory = configDirectory();
  if (directory === undefined) return { plugins: emptyPluginTable() };
  const source = join(directory, "config.json");
  return await exists(source)
    ? await read(source, readPluginTable)
    : { plugins: emptyPluginTable(), source };
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    // Any other error is reported when the file is read.
    return true;
  }
}

async function read(
  source: string,
  readTable: typeof readPluginTable,
): Promise<CoreConfig> {
  const document: JsonDocument = parseJsonDocument(
    await readText(source, "core configuration"),
    source,
  );
  const problems = new Diagnostics(document);
  if (!isObject(document.value)) {
    problems.add(
      [],
      `the core configuration is an object, not ${
        describeType(document.value)
      }; write {} or {"builders": {"custom-cloud": "/opt/baler-builder-custom-cloud"}}`,
    );
    problems.throwIfAny();
  }
  const plugins = await readTable(
    document.value,
    [],
    dirname(source),
    problems,
  );
  problems.throwIfAny();
  return { plugins, source };
}

/** Reads the plugins of a file that may be Packer's; ignores everything else in it. */
const readPackersTable: typeof readPluginTable = (
  value,
  path,
  directory,
  { document },
) => {
  const plugins = emptyPluginTable();
  for (const [kind, plural] of PLUGIN_KINDS) {
    const commands = isObject(value) ? value[plural] : undefined;
    if (!isObject(commands)) continue;
    for (const [name, command] of Object.entries(commands)) {
      const at = [...path, plural, name];
      const ignored = new Diagnostics(document);
      const argv = readPluginCommand(command, at, directory, ignored);
      if (argv === undefined) continue;
      plugins[kind].set(name, {
        argv,
        source: document.source,
        line: document.locate(at).line,
        at,
      });
    }
  }
  return Promise.resolve(plugins);
};
