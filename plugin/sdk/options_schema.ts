// Generates the JSON Schema of a component's configuration from the options that
// it declares.

import type {
  NestedOption,
  Option,
  Options,
  OptionTypes,
} from "../contract/options.ts";
import { goDuration } from "../common/duration.ts";
import {
  duration,
  type Schema,
  type SchemaObject,
  stringList,
  TEMPLATE,
  WEAK_STRING,
} from "./schema_values.ts";

/**
 * Returns the schema of a component in a template.
 *
 * @param options The options that it declares; undefined allows any.
 * @param keys The other keys.
 */
export function optionsSchema(
  options: Options | undefined,
  keys: Readonly<Record<string, Schema>>,
): Schema {
  const entries = Object.entries(options ?? {});
  const required = entries.filter(([, option]) => option.required)
    .map(([key]) => key);
  return {
    type: "object",
    properties: {
      ...keys,
      ...Object.fromEntries(
        entries.map(([key, option]) => [key, optionSchema(option)]),
      ),
    },
    ...(required.length === 0 ? {} : { required }),
    ...(options === undefined ? {} : { additionalProperties: false }),
  };
}

function optionSchema(option: Option): Schema {
  const { type, description, oneOf, default: value } = option;
  const of = type === "object" || type === "objects"
    ? nestedSchema(option)
    : oneOf === undefined
    ? TYPES[type]
    : enumeration(type, oneOf);
  return {
    description,
    ...of,
    ...(value === undefined ? {} : { default: written(type, value) }),
  };
}

/** An object with options of its own, or a list of them, for which one object may stand. */
function nestedSchema({ type, options }: NestedOption): SchemaObject {
  const items = optionsSchema(options, {});
  return {
    anyOf: [
      items,
      ...(type === "objects" ? [{ type: "array", items }] : []),
      { type: "null" },
    ],
  };
}

/** Returns the schema of a string that is one of several; of a list, for each of its strings. */
function enumeration(
  type: keyof OptionTypes,
  oneOf: readonly string[],
): SchemaObject {
  const one = [{ enum: [...oneOf, null] }, TEMPLATE];
  if (type !== "strings") return { anyOf: one };
  const items = { anyOf: [{ enum: [...oneOf] }, TEMPLATE] };
  return { anyOf: [...one, { type: "array", items }] };
}

const TYPES: Readonly<Record<keyof OptionTypes, SchemaObject>> = {
  string: WEAK_STRING,
  number: {
    anyOf: [
      { type: ["number", "null"] },
      {
        type: "string",
        pattern: "^\\s*[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?\\s*$",
      },
      TEMPLATE,
    ],
  },
  boolean: {
    anyOf: [
      { type: ["boolean", "null"] },
      {
        enum: [
          ...["1", "t", "T", "TRUE", "true", "True", 1],
          ...["0", "f", "F", "FALSE", "false", "False", "", 0],
        ],
      },
      TEMPLATE,
    ],
  },
  strings: stringList("weak"),
  map: { type: ["object", "null"], additionalProperties: WEAK_STRING },
  duration: duration(),
  any: {},
};

/** Returns a default as it is written in a template. */
function written(type: Option["type"], value: unknown): unknown {
  return type === "duration" ? goDuration(value as number) : value;
}
