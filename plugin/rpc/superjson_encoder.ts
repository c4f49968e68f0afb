// The encoder of trees: writes a value exactly as superjson would, as long as no
// object occurs twice. Most messages are trees. superjson's own writer, which must
// search for equal objects and asks each transformer about each value, takes many
// times as long.

import type { MessageCost } from "./message_cost.ts";
import { isPlainObject } from "./value_kind.ts";

/** A superjson document. */
export interface Document {
  json: unknown;
  meta?: { values: unknown; v: number };
}

/**
 * Writes a value that superjson does not support. Returns its annotation and its
 * JSON; undefined for a value that only superjson can write.
 */
export type WriteLeaf = (
  value: object,
) => { name: string; json: unknown } | undefined;

/** The annotation of a value, with or without those of the values inside; or only those. */
type Annotations = [unknown] | [unknown, Inner] | Inner | undefined;
type Inner = Record<string, unknown>;

/** Thrown when only superjson can write the value; caught in {@linkcode encodeTree}. */
const NEEDS_SUPERJSON = Symbol("needs superjson");

/** Up to how many objects a list is searched for duplicates instead of a set. */
const LINEAR_SEARCH_LIMIT = 16;

/**
 * Writes a value.
 *
 * @param root The value: a plain object.
 * @param writeLeaf Writes the values that superjson does not support.
 * @param cost Counts what is costly to decode.
 * @returns The document that superjson would write; undefined when only
 * superjson can write it.
 */
export function encodeTree(
  root: object,
  writeLeaf: WriteLeaf,
  cost: MessageCost,
): Document | undefined {
  try {
    return new TreeWriter(writeLeaf, cost).document(root);
  } catch (error) {
    if (error === NEEDS_SUPERJSON) return undefined;
    throw error;
  }
}

class TreeWriter {
  readonly #writeLeaf: WriteLeaf;
  readonly #cost: MessageCost;
  readonly #seen: unknown[] = [];
  #seenSet: Set<unknown> | undefined;
  /** The annotations of the last value that was written. */
  #annotations: Annotations;

  constructor(writeLeaf: WriteLeaf, cost: MessageCost) {
    this.#writeLeaf = writeLeaf;
    this.#cost = cost;
  }

  document(root: object): Document {
    const json = this.#value(root);
    return this.#annotations === undefined
      ? { json }
      : { json, meta: { values: this.#annotations, v: 1 } };
  }

  #value(value: unknown): unknown {
    this.#annotations = undefined;
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "undefined":
        return this.#annotated("undefined", null);
      case "number":
        return this.#number(value);
      case "bigint":
        // superjson treats equal bigints as the same object.
        this.#assertUnique(value);
        return this.#bigint(value.toString());
      case "object":
        if (value === null) return null;
        return this.#object(value);
      case "function":
        return this.#leaf(value);
      default:
        throw NEEDS_SUPERJSON;
    }
  }

  #bigint(digits: string): unknown {
    this.#cost.bigint(digits.length);
    return this.#annotated("bigint", digits);
  }

  #annotated(annotation: unknown, json: unknown): unknown {
    this.#cost.annotation();
    this.#annotations = [annotation];
    return json;
  }

  #number(value: number): unknown {
    if (Number.isFinite(value)) {
      return value === 0 && 1 / value < 0
        ? this.#annotated("number", "-0")
        : value;
    }
    this.#assertUnique(value);
    return this.#annotated("number", String(value));
  }

  /** Leaves a value that occurs twice to superjson. */
  #assertUnique(value: unknown): void {
    if (this.#seenSet !== undefined) {
      if (this.#seenSet.has(value)) throw NEEDS_SUPERJSON;
      this.#seenSet.add(value);
      return;
    }
    // Not indexOf(), which does not find NaN.
    if (this.#seen.includes(value)) throw NEEDS_SUPERJSON;
    if (this.#seen.push(value) > LINEAR_SEARCH_LIMIT) {
      this.#seenSet = new Set(this.#seen);
    }
  }

  #object(value: object): unknown {
    this.#assertUnique(value);
    if (Array.isArray(value)) return this.#list(value, undefined);
    if (isPlainObject(value)) {
      return this.#record(value as Record<string, unknown>);
    }
    if (value instanceof Date) {
      if (Number.isNaN(value.valueOf())) throw NEEDS_SUPERJSON;
      return this.#annotated("Date", value.toISOString());
    }
    if (value instanceof Map) {
      return this.#list([...value.entries()], "map");
    }
    if (value instanceof Set) return this.#list([...value.values()], "set");
    if (value instanceof URL) return this.#annotated("URL", value.toString());
    if (value instanceof RegExp) {
      this.#cost.pattern(`${value}`);
      return this.#annotated("regexp", `${value}`);
    }
    return this.#leaf(value);
  }

  #leaf(value: object): unknown {
    if (typeof value === "function") this.#assertUnique(value);
    const leaf = this.#writeLeaf(value);
    if (leaf === undefined) throw NEEDS_SUPERJSON;
    return this.#annotated(["custom", leaf.name], leaf.json);
  }

  #list(items: unknown[], annotation: string | undefined): unknown[] {
    const json = new Array(items.length);
    let inner: Inner | undefined;
    for (let index = 0; index < items.length; index++) {
      // JSON cannot represent the holes of an array.
      if (!(index in items)) throw NEEDS_SUPERJSON;
      json[index] = this.#value(items[index]);
      if (this.#annotations !== undefined) {
        inner = this.#mergeAnnotations(inner ?? {}, String(index));
      }
    }
    this.#annotations = annotation === undefined
      ? inner
      : inner === undefined
      ? [annotation]
      : [annotation, inner];
    return json;
  }

  #record(object: Record<string, unknown>): unknown {
    const json: Record<string, unknown> = {};
    let inner: Inner | undefined;
    for (const key in object) {
      const value = object[key];
      if (typeof value === "function" || key === "__proto__") {
        throw NEEDS_SUPERJSON;
      }
      json[key] = this.#value(value);
      if (this.#annotations !== undefined) {
        inner = this.#mergeAnnotations(inner ?? {}, escaped(key));
      }
    }
    this.#annotations = inner;
    return json;
  }

  /** Adds the annotations of the value of a key to those of its parent. */
  #mergeAnnotations(inner: Inner, key: string): Inner {
    const annotations = this.#annotations;
    if (Array.isArray(annotations)) inner[key] = annotations;
    else {
      for (const path in annotations) {
        inner[`${key}.${path}`] = annotations[path];
      }
    }
    return inner;
  }
}

function escaped(key: string): string {
  return /[.\\]/.test(key)
    ? key.replace(/\\/g, "\\\\").replace(/\./g, "\\.")
    : key;
}
