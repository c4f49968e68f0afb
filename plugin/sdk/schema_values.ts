// The JSON Schema of the values in a template: as lenient as baler's decoder.

/** A JSON Schema, or a part of one. */
export type Schema = boolean | { readonly [keyword: string]: unknown };

/** A schema that is not a boolean. */
export type SchemaObject = Exclude<Schema, boolean>;

/** A string; null means that it is absent. */
export const STRING: SchemaObject = { type: ["string", "null"] };

/** A string; numbers and booleans are converted. */
export const WEAK_STRING: SchemaObject = {
  type: ["string", "number", "boolean", "null"],
};

/** A string whose value is not known before interpolation. */
export const TEMPLATE: SchemaObject = { type: "string", pattern: "\\{\\{" };

/**
 * Returns the schema of a list of strings.
 *
 * @param strictness `"weak"` to allow a single string, and numbers as strings.
 */
export function stringList(strictness: "weak" | "strict"): SchemaObject {
  const types = strictness === "weak"
    ? ["array", "string", "number", "boolean", "null"]
    : ["array", "null"];
  return { type: types, items: strictness === "weak" ? WEAK_STRING : STRING };
}

/** Returns the schema of a list of components. */
export function listOf(kind: string): SchemaObject {
  return { type: ["array", "null"], items: { $ref: `#/$defs/${kind}` } };
}

const DURATION = "^[+-]?(0|((\\d+\\.?\\d*|\\.\\d+)(ns|us|µs|ms|s|m|h))+)$";

/**
 * Returns the schema of a duration such as `"1h30m"`.
 *
 * @param options `weak` to allow a number of nanoseconds.
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
