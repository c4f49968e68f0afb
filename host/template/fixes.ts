// The fixes: what `baler fix` changes in a template that was written for an
// older Packer, as far as it concerns what comes with baler.

import type { JsonDocument } from "../json/json_document.ts";
import { describeType, isObject, type JsonObject } from "../json/json_value.ts";
import { SourceError } from "../json/source_error.ts";

/** One fix. */
export interface Fix {
  /** Its name, which is Packer's. */
  readonly name: string;
  /** What it does, in a line. */
  readonly synopsis: string;
  /** Changes the parts of a template in place. */
  fix(parts: TemplateParts): void;
}

/** The parts of a template that fixes change. */
export interface TemplateParts {
  /** The configurations of its builders. */
  readonly builders: readonly JsonObject[];
  /** The configurations of its post-processors, of all sequences. */
  readonly postProcessors: readonly JsonObject[];
}

/** All fixes, in the order in which they are made. */
export const FIXES: readonly Fix[] = [
  renamedOfBuilders(
    "sshkeypath",
    "string",
    "ssh_key_path",
    "ssh_private_key_file",
  ),
  renamedOfBuilders(
    "sshdisableagent",
    "boolean",
    "ssh_disable_agent",
    "ssh_disable_agent_forwarding",
  ),
  {
    name: "manifest-filename",
    synopsis: "post-processor manifest: filename -> output",
    fix({ postProcessors }) {
      for (const one of postProcessors) {
        if (one.type === "manifest") {
          rename(one, "string", "filename", "output");
        }
      }
    },
  },
  {
    name: "clean-image-name",
    synopsis:
      "builders: clean_image_name, clean_ami_name -> clean_resource_name",
    fix({ builders }) {
      const renamed = (value: unknown) =>
        typeof value === "string"
          ? value.replaceAll(/clean_(image|ami)_name/g, "clean_resource_name")
          : value;
      // As deep as Packer looks.
      for (const builder of builders) {
        for (const [key, value] of Object.entries(builder)) {
          builder[key] = isObject(value)
            ? mapped(value, renamed)
            : renamed(value);
        }
      }
    },
  },
  renamedOfBuilders(
    "ssh-wait-timeout",
    "string",
    "ssh_wait_timeout",
    "ssh_timeout",
  ),
];

/**
 * Fixes a template.
 *
 * @param document The template.
 * @returns Its text, fixed: JSON whose keys are sorted, without an end of its last line.
 * @throws {SourceError} When it is no template at all.
 */
export function applyFixes(document: JsonDocument): string {
  const root = structuredClone(document.value);
  if (!isObject(root)) {
    throw SourceError.at(
      document,
      [],
      `a template is an object: expected a map, got ${describeType(root)}`,
    );
  }
  const parts: TemplateParts = {
    builders: builderConfigs(root, document),
    postProcessors: listAt("post-processors", root, document).flat()
      .filter(isObject),
  };
  for (const fix of FIXES) fix.fix(parts);
  return JSON.stringify(sorted(root), null, 2);
}

/**
 * Whether the fixes would take a key out of a component's configuration.
 *
 * @param kind The kind of component.
 * @param type What the template calls it.
 * @param config Its configuration.
 * @param key The key.
 */
export function fixesKey(
  kind: string,
  type: string,
  config: JsonObject,
  key: string,
): boolean {
  let fixed = fixedConfigs.get(config);
  if (fixed === undefined) {
    fixed = { ...config, type };
    const parts = {
      builders: kind === "builder" ? [fixed] : [],
      postProcessors: kind === "post-processor" ? [fixed] : [],
    };
    for (const fix of FIXES) fix.fix(parts);
    fixedConfigs.set(config, fixed);
  }
  return !Object.hasOwn(fixed, key);
}

/** A configuration is fixed once, however many of its keys are asked for. */
const fixedConfigs = new WeakMap<JsonObject, JsonObject>();

function builderConfigs(root: JsonObject, document: JsonDocument) {
  const { builders } = root;
  // From name to plugin, which is baler's own.
  const list = isObject(builders)
    ? Object.values(builders)
    : listAt("builders", root, document);
  return list.filter(isObject);
}

function listAt(
  key: string,
  root: JsonObject,
  document: JsonDocument,
): unknown[] {
  const value = root[key] ?? [];
  if (Array.isArray(value)) return value;
  throw SourceError.at(
    document,
    [key],
    `'${key}': source data must be an array or slice, got ${
      describeType(value)
    }; write a list`,
  );
}

function renamedOfBuilders(
  name: string,
  type: "string" | "boolean",
  from: string,
  to: string,
): Fix {
  return {
    name,
    synopsis: `builders: ${from} -> ${to}`,
    fix({ builders }) {
      for (const builder of builders) {
        const kept = builder[to];
        rename(builder, type, from, to);
        // Whoever has written the new key, too, means that one.
        if (kept !== undefined) builder[to] = kept;
      }
    },
  };
}

function rename(
  config: JsonObject,
  type: "string" | "boolean",
  from: string,
  to: string,
): void {
  // What is no such value is left for whoever reads it to refuse.
  const given: string = typeof config[from];
  if (given !== type) return;
  config[to] = config[from];
  delete config[from];
}

function mapped(
  object: JsonObject,
  change: (value: unknown) => unknown,
): JsonObject {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key, change(value)]),
  );
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value).sort().map((key) => [key, sorted(value[key])]),
  );
}
