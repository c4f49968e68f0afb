// A template: read from its file, with every key checked and every part
// normalized, and with the position of each part.

import { dirname, resolve } from "@std/path";
import {
  type JsonDocument,
  type JsonPath,
  parseJsonDocument,
} from "../json/json_document.ts";
import {
  type PluginTable,
  readPluginTable,
} from "../discovery/plugin_table.ts";
import { type BuilderEntry, readBuilders } from "./builders.ts";
import { Diagnostics, Fields } from "../json/fields.ts";
import {
  type PostProcessorEntry,
  readPostProcessors,
} from "./post_processors.ts";
import {
  type ProvisionerEntry,
  readProvisioner,
  readProvisioners,
} from "./provisioners.ts";
import { takeEarlyReading } from "../json/early_reading.ts";
import { readText } from "../json/read_text_file.ts";
import { readComments, readRoot, readVariables, ROOT_KEYS } from "./root.ts";
import { checkTemplate } from "./cross_checks.ts";

export type { BuilderEntry } from "./builders.ts";
export type { PostProcessorEntry } from "./post_processors.ts";
export type { ProvisionerEntry } from "./provisioners.ts";

/** A template. */
export interface Template {
  /** The file as the user named it; `"<stdin>"` for stdin. */
  readonly source: string;
  /** Its absolute path; absent when it was read from stdin. */
  readonly path?: string;
  /** The base directory of its relative paths. */
  readonly directory: string;
  /** Its `description`. */
  readonly description?: string;
  /** The Packer version that it requires. */
  readonly minPackerVersion?: string;
  /** The defaults of the variables by name, before interpolation; null for a required variable. */
  readonly variables: ReadonlyMap<string, string | null>;
  /** The names of the variables whose values are redacted. */
  readonly sensitiveVariables: readonly string[];
  /** The builders, in the template's order. */
  readonly builders: readonly BuilderEntry[];
  /** The provisioners, in the order in which they run. */
  readonly provisioners: readonly ProvisionerEntry[];
  /** The provisioner that runs after a provisioner has failed. */
  readonly errorCleanupProvisioner?: ProvisionerEntry;
  /** The sequences of post-processors. */
  readonly postProcessors: readonly (readonly PostProcessorEntry[])[];
  /** The commands of its plugins. */
  readonly plugins: PluginTable;
  /** The file's content, which locates its parts for error messages. */
  readonly document: JsonDocument;
}

/** How a template is read. */
export interface TemplateOptions {
  /**
   * Checks only that each part is well-formed, as `validate -syntax-only` and
   * `inspect` do: not that there is a builder, that the builders named in `only`,
   * `except` and `override` exist, and that the Packer version that the template
   * requires is supported.
   */
  syntaxOnly?: boolean;
}

/**
 * Reads a template from a file, or from stdin.
 *
 * @param path The file; `"-"` for stdin.
 * @param options How it is read.
 * @throws {SourceError} With all problems of the template and their positions.
 * @throws {Error} When it cannot be read.
 */
export async function readTemplate(
  path: string,
  options: TemplateOptions = {},
): Promise<Template> {
  if (path === "-") {
    const text = await readText("-", "template");
    const document = parseJsonDocument(text, "<stdin>");
    return await parse(document, undefined, options);
  }
  if (/\.pkr\.(hcl|json)$/.test(path)) {
    throw new Error(
      `${path}: HCL2 templates are not supported; baler reads Packer's JSON templates`,
    );
  }
  const early = takeEarlyReading(path);
  const text = early?.text ?? await readText(path, "template");
  const document = parseJsonDocument(text, path, { value: early?.value });
  return await parse(document, resolve(path), options);
}

/**
 * Reads a template from a string.
 *
 * @param text The content of a template file.
 * @param source The name of the file in error messages.
 * @param options How it is read.
 * @returns The template; its relative paths start from the directory of `source`.
 * @throws {SourceError} With all problems of the template and their positions.
 *
 * @example
 * ```ts
 * import { parseTemplate } from "./template.ts";
 *
 * const template = await parseTemplate(
 *   '{"builders": [{"type": "file", "target": "a", "content": "b"}]}',
 *   "template.json",
 * );
 * console.log(template.builders[0]?.name); // file
 * ```
 */
export async function parseTemplate(
  text: string,
  source: string,
  options: TemplateOptions = {},
): Promise<Template> {
  const path = source === "<stdin>" ? undefined : resolve(source);
  return await parse(parseJsonDocument(text, source), path, options);
}

async function parse(
  document: JsonDocument,
  path: string | undefined,
  options: TemplateOptions,
): Promise<Template> {
  const { source } = document;
  const problems = new Diagnostics(document);
  const root = await readRoot(document.value, problems);
  const directory = path === undefined ? Deno.cwd() : dirname(path);

  // In Packer the root keys are case-insensitive.
  const at = (key: string): JsonPath => [
    Object.hasOwn(root, key)
      ? key
      : Object.keys(root).find((one) => one.toLowerCase() === key) ?? key,
  ];
  const of = (key: string): unknown => root[at(key)[0]!] ?? null;

  const builders = readBuilders(
    of("builders"),
    at("builders"),
    directory,
    problems,
  );
  const buildersAreSound = problems.count === 0;
  const cleanup = of("error-cleanup-provisioner");
  const errorCleanupProvisioner = cleanup === null
    ? undefined
    : readProvisioner(
      cleanup,
      "On Error Cleanup Provisioner error: ",
      at("error-cleanup-provisioner"),
      problems,
    );
  const fields = new Fields(
    Object.fromEntries(ROOT_KEYS.map((key) => [key, of(key)])),
    [],
    "",
    "strict",
    problems,
  );
  const description = fields.string("description");
  const minPackerVersion = fields.string("min_packer_version");
  // Both are obsolete and ignored, but old templates contain them.
  fields.object("push");
  readComments(of("comments"), at("comments"), problems);
  const template: Template = {
    source,
    ...(path === undefined ? {} : { path }),
    directory,
    ...(description ? { description } : {}),
    ...(minPackerVersion ? { minPackerVersion } : {}),
    variables: readVariables(of("variables"), at("variables"), problems),
    sensitiveVariables: fields.stringList("sensitive-variables") ?? [],
    builders,
    provisioners: readProvisioners(
      of("provisioners"),
      at("provisioners"),
      problems,
    ),
    ...(errorCleanupProvisioner ? { errorCleanupProvisioner } : {}),
    postProcessors: readPostProcessors(
      of("post-processors"),
      at("post-processors"),
      problems,
    ),
    plugins: await readPluginTable(
      of("plugins"),
      at("plugins"),
      directory,
      problems,
    ),
    document,
  };
  if (!options.syntaxOnly) checkTemplate(template, buildersAreSound, problems);
  problems.throwIfAny();
  return template;
}
