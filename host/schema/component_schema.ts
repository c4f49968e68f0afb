// The JSON Schema of the components of a template. Those of bundled components are
// generated from the options that they declare.

import type { Options } from "../../plugin/contract/options.ts";
import { optionsSchema } from "../../plugin/sdk/options_schema.ts";
import {
  duration,
  type Schema,
  STRING,
  stringList,
  WEAK_STRING,
} from "../../plugin/sdk/schema_values.ts";

/** The keys of every provisioner, besides its own options. */
const PROVISIONER_KEYS: Record<string, Schema> = {
  only: {
    ...stringList("weak"),
    description: "The names of the builds for which it runs.",
  },
  except: {
    ...stringList("weak"),
    description: "The names of the builds for which it does not run.",
  },
  override: {
    type: ["object", "null"],
    additionalProperties: { type: ["object", "null"] },
    description: "Options that differ for a build, by the build's name.",
  },
  pause_before: {
    ...duration({ weak: true }),
    description: "How long to wait before it runs.",
  },
  max_retries: {
    ...WEAK_STRING,
    description: "How often it is retried when it fails.",
  },
  timeout: {
    ...duration({ weak: true }),
    description: "How long it may take before it is cancelled and fails.",
  },
};

/** The keys of every post-processor, besides its own options. */
const POST_PROCESSOR_KEYS: Record<string, Schema> = {
  name: {
    ...STRING,
    description: "Its name for -except; the type unless given.",
  },
  only: {
    ...stringList("strict"),
    description: "The names of the builds for which it runs.",
  },
  except: {
    ...stringList("strict"),
    description: "The names of the builds for which it does not run.",
  },
  keep_input_artifact: {
    type: ["boolean", "null"],
    description: "Whether its input artifact is kept.",
  },
};

const BUILDER_KEYS: Record<string, Schema> = {
  name: {
    ...WEAK_STRING,
    description: "The build's name; the type unless given.",
  },
};

/** The keys of every component, besides its own options, by its kind. */
const KEYS: Readonly<Record<string, Record<string, Schema>>> = {
  builder: BUILDER_KEYS,
  provisioner: PROVISIONER_KEYS,
  "post-processor": POST_PROCESSOR_KEYS,
};

/** A component and the options that it declares; undefined to accept every key. */
export interface DeclaredComponent {
  /** The kind of component. */
  readonly kind: string;
  /** The `type` that a template names it by. */
  readonly name: string;
  /** Its options. */
  readonly options: Options | undefined;
}

/**
 * Returns the definitions of one kind of component.
 *
 * @param kind The kind, which is the name of the first definition.
 * @param components The components whose options are known, of any kind.
 * @returns By name, that of any component of the kind, and of each one whose
 * options are known.
 */
export function componentSchemas(
  kind: string,
  components: readonly DeclaredComponent[],
): Record<string, Schema> {
  const keys = KEYS[kind] ?? {};
  const known = components.filter((component) => component.kind === kind);
  const names = known.map(({ name }) => name);
  const definitions = known.map(({ name, options }) =>
    [
      `${kind}-${name}`,
      optionsSchema(options, { type: true, ...keys }),
    ] as const
  );
  const type = { anyOf: [{ enum: names }, { type: "string", minLength: 1 }] };
  const object: Schema = {
    type: "object",
    required: ["type"],
    properties: {
      type: {
        description: `The type of the ${kind}: a bundled one, or a plugin's.`,
        ...type,
      },
      ...keys,
    },
    allOf: names.map((name) => ({
      if: { required: ["type"], properties: { type: { const: name } } },
      then: { $ref: reference(kind, name) },
    })),
  };
  const whole = kind === "post-processor" ? { anyOf: [object, type] } : object;
  return { [kind]: whole, ...Object.fromEntries(definitions) };
}

/**
 * Returns the reference to the definition of a component.
 *
 * @param kind The kind of component.
 * @param name The `type` that a template names it by.
 */
export function reference(kind: string, name: string): string {
  const pointer = `${kind}-${name}`.replaceAll("~", "~0").replaceAll("/", "~1");
  return `#/$defs/${encodeURIComponent(pointer)}`;
}
