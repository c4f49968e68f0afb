// The options that a component declares, as the JSON Schema of its
// configuration.

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
  TEMPLATE,
  textList,
  WEAK_TEXT,
} from "./schema_values.ts";

/**
 * The schema of a component's part of a template.
 *
 * @param options What the component declares; anything is taken when absent.
 * @param keys What stands there beside its options.
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

/** A string that is one of several; of a list, each of its strings. */
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
  string: WEAK_TEXT,
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
  strings: textList("weak"),
  map: { type: ["object", "null"], additionalProperties: WEAK_TEXT },
  duration: duration(),
  any: {},
};

/** A default as a template would write it. */
function written(type: Option["type"], value: unknown): unknown {
  return type === "duration" ? goDuration(value as number) : value;
}
