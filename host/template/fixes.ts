// The fixes: the changes that `baler fix` makes to a template that was written
// for an older Packer. Only Packer's fixes for bundled components and for common
// keys of builders are included.

import type { JsonDocument } from "../json/json_document.ts";
import { describeType, isObject, type JsonObject } from "../json/json_value.ts";
import { SourceError } from "../json/source_error.ts";

/** One fix. */
export interface Fix {
  /** Its name in Packer. */
  readonly name: string;
  /** A one-line description. */
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

/** All fixes, in the order in which they are applied. */
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
      // Packer, too, looks only one level deep.
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
 * Applies all fixes to a template.
 *
 * @param document The template.
 * @returns The fixed template as JSON with sorted keys, without a final newline.
 * @throws {SourceError} When it is not a template.
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
 * Whether the fixes would remove a key from a component's configuration.
 *
 * @param kind The kind of component.
 * @param type Its type in the template.
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

/** The fixed configurations, so that each is fixed only once. */
const fixedConfigs = new WeakMap<JsonObject, JsonObject>();

function builderConfigs(root: JsonObject, document: JsonDocument) {
  const { builders } = root;
  // baler's own form: an object from name to plugin.
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
        // A new key that is already set takes precedence.
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
  // A value of another type is left in place; the component rejects it.
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
