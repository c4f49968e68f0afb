// The root of a template: the keys that are allowed in it, and the values of
// `variables` and `comments`.

import type { JsonPath } from "../json/json_document.ts";
import type { Diagnostics } from "../json/fields.ts";
import { describeType, isObject, type JsonObject } from "../json/json_value.ts";

/** The keys that are allowed in the root of a template. */
export const ROOT_KEYS: readonly string[] = [
  "builders",
  "comments",
  "description",
  "error-cleanup-provisioner",
  "min_packer_version",
  "plugins",
  "post-processors",
  "provisioners",
  "push",
  "sensitive-variables",
  "variables",
];

/**
 * Reads a document's value as an object of known keys and comments.
 *
 * @param value The document's value.
 * @param problems Collects the problems.
 * @throws {SourceError} When it is not an object.
 */
export async function readRoot(
  value: unknown,
  problems: Diagnostics,
): Promise<JsonObject> {
  if (value === null) return {};
  if (!isObject(value)) {
    problems.add(
      [],
      `a template is an object: expected a map, got ${
        describeType(value)
      }; write {"builders": [...]}`,
    );
    problems.throwIfAny();
    return {};
  }
  for (const [key, comment] of Object.entries(value)) {
    if (key.startsWith("_")) {
      if (typeof comment !== "string") {
        problems.add(
          [key],
          `Failed to cast root level comment value in comment "${key}" to string; it is ${
            describeType(comment)
          }, put it in quotes`,
        );
      }
    } else if (!ROOT_KEYS.includes(key.toLowerCase())) {
      await problems.addUnknownKey(
        [key],
        `Unknown root level key in template: '${key}'`,
        ROOT_KEYS,
      );
    }
  }
  return value;
}

/**
 * Reads a template's `variables`.
 *
 * @param value The value in the document.
 * @param path The path of the value.
 * @param problems Collects the problems.
 * @returns The defaults by name; null for a required variable.
 */
export function readVariables(
  value: unknown,
  path: JsonPath,
  problems: Diagnostics,
): Map<string, string | null> {
  const variables = new Map<string, string | null>();
  if (value === null) return variables;
  if (!isObject(value)) {
    problems.add(
      path,
      `'variables' expected a map, got ${
        describeType(value)
      }; write {"name": "default"}`,
    );
    return variables;
  }
  for (const [name, initial] of Object.entries(value)) {
    if (typeof initial === "string" || initial === null) {
      variables.set(name, initial);
    } else {
      problems.add(
        [...path, name],
        `variable ${name}: expected type 'string', got ${
          describeType(initial)
        }; a variable is a string in quotes, or null if it is required`,
      );
    }
  }
  return variables;
}

/**
 * Checks a template's `comments`, which are otherwise ignored.
 *
 * @param value The value in the document.
 * @param path The path of the value.
 * @param problems Collects the problems.
 */
export function readComments(
  value: unknown,
  path: JsonPath,
  problems: Diagnostics,
): void {
  const isList = Array.isArray(value) &&
    value.every((comment) =>
      isObject(comment) &&
      Object.values(comment).every((text) => typeof text === "string")
    );
  if (value !== null && !isList) {
    problems.add(
      path,
      `'comments' must be a list of objects of strings, got ${
        describeType(value)
      }; for a comment, use a root key that begins with "_"`,
    );
  }
}
