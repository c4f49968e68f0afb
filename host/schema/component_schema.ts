// The JSON Schema of the components of a template. Those of bundled components are
// generated from the options that they declare.

import { BUNDLED } from "../../plugin/bundled/components.ts";
import type { Options } from "../../plugin/contract/options.ts";
import { optionsSchema } from "./options_schema.ts";
import {
  duration,
  type Schema,
  STRING,
  stringList,
  WEAK_STRING,
} from "./schema_values.ts";

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

/**
 * Returns the definitions of one kind of component.
 *
 * @param kind The kind, which is the name of the first definition.
 * @returns The definitions by name: of any component of the kind, and of each
 * bundled one.
 */
export async function componentSchemas(
  kind: string,
): Promise<Record<string, Schema>> {
  const keys = KEYS[kind] ?? {};
  const bundled = Object.entries(BUNDLED[kind] ?? {});
  const names = bundled.map(([name]) => name);
  const definitions = await Promise.all(bundled.map(async ([name, load]) => {
    const { default: Component } = await load();
    return [
      `${kind}-${name}`,
      optionsSchema((new Component() as { options?: Options }).options, {
        type: true,
        ...keys,
      }),
    ] as const;
  }));
  const object: Schema = {
    type: "object",
    required: ["type"],
    properties: {
      type: {
        description: `The type of the ${kind}: a bundled one, or a plugin's.`,
        anyOf: [{ enum: names }, { type: "string", minLength: 1 }],
      },
      ...keys,
    },
    allOf: names.map((name) => ({
      if: { required: ["type"], properties: { type: { const: name } } },
      then: { $ref: `#/$defs/${kind}-${name}` },
    })),
  };
  const whole = kind === "post-processor"
    ? {
      anyOf: [object, {
        anyOf: [{ enum: names }, { type: "string", minLength: 1 }],
      }],
    }
    : object;
  return { [kind]: whole, ...Object.fromEntries(definitions) };
}
