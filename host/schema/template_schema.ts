// The JSON Schema of templates, with which an editor completes and checks them.

import {
  componentSchemas,
  type DeclaredComponent,
} from "./component_schema.ts";
import {
  listOf,
  type Schema,
  STRING,
  stringList,
  WEAK_STRING,
} from "../../plugin/sdk/schema_values.ts";

const COMMENTS = { "^_": { type: "string", description: "A comment." } };

/** A plugin's path, or the command that starts it. */
const PLUGIN_COMMAND: Schema = {
  description:
    "The path of an executable, absolute or relative to the template's directory (./, ../); or a command with its arguments.",
  anyOf: [
    { type: "string", minLength: 1 },
    { type: "array", minItems: 1, items: { type: "string" } },
  ],
};

/**
 * Returns the JSON Schema (2020-12) of templates.
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
        description: "The builds: the plugin of each, by the build's name.",
        type: "object",
        propertyNames: { minLength: 1 },
        additionalProperties: {
          anyOf: [{ $ref: "#/$defs/pluginCommand" }, {
            type: "object",
            required: ["plugin"],
            properties: {
              plugin: { $ref: "#/$defs/pluginCommand" },
              type: {
                ...WEAK_STRING,
                description: "The builder in the plugin.",
              },
              name: false,
            },
          }],
        },
      },
    },
  };
}

const ROOT: Record<string, Schema> = {
  description: { ...STRING, description: "What the template is for." },
  min_packer_version: {
    ...STRING,
    description: "The oldest version of Packer that can build it.",
  },
  variables: {
    type: ["object", "null"],
    additionalProperties: { type: ["string", "null"] },
    description:
      "The defaults of the variables by name; null for a required variable.",
  },
  "sensitive-variables": {
    ...stringList("strict"),
    description: "The variables whose values are redacted.",
  },
  builders: {
    description: "The builders, which create the artifacts; each is a build.",
    anyOf: [
      listOf("builder"),
      { $ref: "#/$defs/namedBuilders" },
      { type: "null" },
    ],
  },
  provisioners: {
    ...listOf("provisioner"),
    description:
      "The provisioners, which configure the machine before it becomes an artifact, in this order.",
  },
  "error-cleanup-provisioner": {
    anyOf: [{ $ref: "#/$defs/provisioner" }, { type: "null" }],
    description: "The provisioner that runs after a provisioner has failed.",
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
      "The post-processors, which process artifacts. Each starts from the build's artifact; in a list, from that of the one before it.",
  },
  plugins: {
    type: ["object", "null"],
    description: "The paths of plugins, by kind and name.",
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
    description: "Comments, which are ignored.",
  },
  push: {
    type: ["object", "array", "null"],
    deprecated: true,
    description:
      "The configuration of a service that no longer exists; ignored.",
  },
};
