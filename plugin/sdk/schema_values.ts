// The values of a template in the words of JSON Schema: as loose as baler is
// when it reads them.

/** A JSON Schema, or a part of one. */
export type Schema = boolean | { readonly [keyword: string]: unknown };

/** What a schema can have in it beside a boolean. */
export type SchemaObject = Exclude<Schema, boolean>;

/** A text. null is as good as none, as everywhere in a template. */
export const TEXT: SchemaObject = { type: ["string", "null"] };

/** A text where numbers and booleans serve as one. */
export const WEAK_TEXT: SchemaObject = {
  type: ["string", "number", "boolean", "null"],
};

/** A text that is not known before the `{{...}}` in it are filled in. */
export const TEMPLATE: SchemaObject = { type: "string", pattern: "\\{\\{" };

/**
 * A list of texts.
 *
 * @param strictness `"weak"` where one text serves as a list of it, and numbers as texts.
 */
export function textList(strictness: "weak" | "strict"): SchemaObject {
  const types = strictness === "weak"
    ? ["array", "string", "number", "boolean", "null"]
    : ["array", "null"];
  return { type: types, items: strictness === "weak" ? WEAK_TEXT : TEXT };
}

/** A list of components of a kind. */
export function listOf(kind: string): SchemaObject {
  return { type: ["array", "null"], items: { $ref: `#/$defs/${kind}` } };
}

const DURATION = "^[+-]?(0|((\\d+\\.?\\d*|\\.\\d+)(ns|us|µs|ms|s|m|h))+)$";

/**
 * A duration such as `"1h30m"`.
 *
 * @param options `weak` where a number is one, of nanoseconds.
 */
export function duration({ weak = false } = {}): SchemaObject {
  return {
    anyOf: [
      { type: "string", pattern: DURATION },
      ...(weak ? [{ type: ["number", "boolean"] }] : [{ const: 0 }, TEMPLATE]),
      { type: "null" },
    ],
  };
}
