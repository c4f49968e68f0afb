// The values of JSON: recognizes objects, and describes types in messages.

export { isObject } from "../../plugin/common/is_object.ts";

/** A JSON object. */
export type JsonObject = Record<string, unknown>;

/** Describes a value and its type for an error message. */
export function describeType(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  switch (typeof value) {
    case "object":
      return "an object";
    case "string":
      return "a string";
    default:
      return `the ${typeof value} ${value}`;
  }
}
