// The JSON Schema of templates: what an editor offers and checks while one is
// written. What bundled plugins take is read from the options that they declare.

import { BUNDLED } from "../plugin/bundled/mod.ts";
import type { Served } from "../plugin/serve.ts";
import type { Options } from "../plugin/options.ts";
import {
  duration,
  listOf,
  type Schema,
  TEXT,
  textList,
  WEAK_TEXT,
} from "./schema_values.ts";
import { optionsSchema } from "./options_schema.ts";

const COMMENTS = { "^_": { type: "string", description: "A comment." } };

/** What a provisioner can have beside its own options. */
const PROVISIONER_KEYS: Record<string, Schema> = {
  only: {
    ...textList("weak"),
    description:
      "The builds that it is for, by their names; others go without.",
  },
  except: {
    ...textList("weak"),
    description: "The builds that it is not for, by their names.",
  },
  override: {
    type: ["object", "null"],
    additionalProperties: { type: ["object", "null"] },
    description: "By build name, the options that it has otherwise there.",
  },
  pause_before: {
    ...duration({ weak: true }),
    description: "How long to wait before it.",
  },
  max_retries: {
    ...WEAK_TEXT,
    description: "How often it is tried again when it fails.",
  },
  timeout: {
    ...duration({ weak: true }),
    description: "How long it may take before it is ended as failed.",
  },
};

/** What a post-processor can have beside its own options. */
const POST_PROCESSOR_KEYS: Record<string, Schema> = {
  name: {
    ...TEXT,
    description: "Its name for -except; the type unless given.",
  },
  only: {
    ...textList("strict"),
    description:
      "The builds that it is for, by their names; others go without.",
  },
  except: {
    ...textList("strict"),
    description: "The builds that it is not for, by their names.",
  },
  keep_input_artifact: {
    type: ["boolean", "null"],
    description: "Whether the artifact that goes into it stays.",
  },
};

const BUILDER_KEYS: Record<string, Schema> = {
  name: {
    ...WEAK_TEXT,
    description: "The build's name; the type unless given.",
  },
};

/** A plugin's path, or the words of a command that starts it. */
const PLUGIN_COMMAND: Schema = {
  description:
    "An executable's absolute path, or one that begins with ./ or ../ and is taken from the template's folder; or the words of a command.",
  anyOf: [
    { type: "string", minLength: 1 },
    { type: "array", minItems: 1, items: { type: "string" } },
  ],
};

/**
 * The JSON Schema (2020-12) of templates.
 *
 * @returns The schema, which knows the options of bundled plugins and takes any of others.
 */
export async function templateSchema(): Promise<Schema> {
  const [builders, provisioners, postProcessors] = await Promise.all([
    component("builder", BUILDER_KEYS),
    component("provisioner", PROVISIONER_KEYS),
    component("post-processor", POST_PROCESSOR_KEYS),
  ]);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Template",
    description: "A template of baler, or of Packer 1.6.6.",
    type: "object",
    properties: ROOT,
    patternProperties: COMMENTS,
    additionalProperties: false,
    $defs: {
      ...builders,
      ...provisioners,
      ...postProcessors,
      pluginCommand: PLUGIN_COMMAND,
      namedBuilders: {
        description: "The builds, each name with the plugin that builds it.",
        type: "object",
        propertyNames: { minLength: 1 },
        additionalProperties: {
          anyOf: [{ $ref: "#/$defs/pluginCommand" }, {
            type: "object",
            required: ["plugin"],
            properties: {
              plugin: { $ref: "#/$defs/pluginCommand" },
              type: { ...WEAK_TEXT, description: "The builder in the plugin." },
              name: false,
            },
          }],
        },
      },
    },
  };
}

const ROOT: Record<string, Schema> = {
  description: { ...TEXT, description: "What the template is for." },
  min_packer_version: {
    ...TEXT,
    description: "The oldest version of Packer that can build it.",
  },
  variables: {
    type: ["object", "null"],
    additionalProperties: { type: ["string", "null"] },
    description:
      "The variables with their defaults; null where a value must be given.",
  },
  "sensitive-variables": {
    ...textList("strict"),
    description: "The variables whose values are not shown.",
  },
  builders: {
    description: "What makes the artifacts; each one is a build.",
    anyOf: [
      listOf("builder"),
      { $ref: "#/$defs/namedBuilders" },
      { type: "null" },
    ],
  },
  provisioners: {
    ...listOf("provisioner"),
    description:
      "What configures a machine before it becomes an artifact, in this order.",
  },
  "error-cleanup-provisioner": {
    anyOf: [{ $ref: "#/$defs/provisioner" }, { type: "null" }],
    description: "What runs when a provisioner has failed.",
  },
  "post-processors": {
    type: ["array", "null"],
    items: {
      anyOf: [
        { $ref: "#/$defs/post-processor" },
        { type: "array", items: { $ref: "#/$defs/post-processor" } },
      ],
    },
    description:
      "What works on artifacts. Each starts from the build's artifact; in a list, from that of the one before it.",
  },
  plugins: {
    type: ["object", "null"],
    description: "Where plugins are: by kind and name, their paths.",
    properties: Object.fromEntries(
      ["builders", "provisioners", "post-processors", "commands"].map((
        kind,
      ) => [
        kind,
        {
          type: ["object", "null"],
          additionalProperties: { $ref: "#/$defs/pluginCommand" },
        },
      ]),
    ),
    additionalProperties: false,
  },
  comments: {
    type: ["array", "null"],
    items: { type: "object", additionalProperties: { type: "string" } },
    description: "Comments, which nobody reads.",
  },
  push: {
    type: ["object", "array", "null"],
    deprecated: true,
    description: "Of a service that is no more; nobody reads it.",
  },
};

/** The definitions of one kind of component. */
async function component(
  kind: string,
  keys: Record<string, Schema>,
): Promise<Record<string, Schema>> {
  const bundled = Object.entries(BUNDLED[kind] ?? {});
  const names = bundled.map(([name]) => name);
  const definitions = await Promise.all(bundled.map(async ([name, load]) => {
    const served = (await load()).default;
    return [
      `${kind}-${name}`,
      optionsSchema(optionsOf(served), {
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
        description: `Which ${kind} it is: one of baler's, or a plugin's.`,
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

/** The options that a bundled plugin declares; each of them serves a class. */
function optionsOf(served: Served): Options | undefined {
  const { options } = new (served as new () => { options?: Options })();
  return options;
}
