// The JSON Schema of templates: what an editor offers and checks while one is
// written.

import {
  componentSchemas,
  type DeclaredComponent,
} from "./component_schema.ts";
import {
  listOf,
  type Schema,
  TEXT,
  textList,
  WEAK_TEXT,
} from "../../plugin/sdk/schema_values.ts";

const COMMENTS = { "^_": { type: "string", description: "A comment." } };

/** A plugin's path, or the words of a command that starts it. */
const PLUGIN_COMMAND: Schema = {
  description:
    "An executable's absolute path, or one that begins with ./ or ../ and is taken from the template's directory; or the words of a command.",
  anyOf: [
    { type: "string", minLength: 1 },
    { type: "array", minItems: 1, items: { type: "string" } },
  ],
};

/**
 * The JSON Schema (2020-12) of templates.
 *
 * @param components The components whose options are known. Others may have any.
 */
export function templateSchema(
  components: readonly DeclaredComponent[],
): Schema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Template",
    description: "A template of baler, or of Packer 1.6.6.",
    type: "object",
    properties: ROOT,
    patternProperties: COMMENTS,
    additionalProperties: false,
    $defs: {
      ...componentSchemas("builder", components),
      ...componentSchemas("provisioner", components),
      ...componentSchemas("post-processor", components),
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
