// Trees: writes a value in superjson's format, to the letter, as long as no
// object stands in two places. Most messages are trees, and superjson's own
// writer, which must look for equal objects and asks every transformer about
// every value, takes many times as long.

import type { MessageCost } from "./message_cost.ts";
import { isPlainObject } from "./value_kind.ts";

/** superjson's document of a value. */
export interface Document {
  json: unknown;
  meta?: { values: unknown; v: number };
}

/**
 * How a value is written that superjson has no notion of: its annotation and
 * what stands for it. Undefined for a value that this writer cannot write.
 */
export type WriteLeaf = (
  value: object,
) => { name: string; json: unknown } | undefined;

/** An annotation, alone or with a tree of those inside; or only such a tree. */
type Annotations = [unknown] | [unknown, Inner] | Inner | undefined;
type Inner = Record<string, unknown>;

/** Thrown, and caught here, where superjson must write the message. */
const NEEDS_SUPERJSON = Symbol("no tree");

/** How many objects are looked through one by one before a set is made of them. */
const LINEAR_SEARCH_LIMIT = 16;

/**
 * Writes a value.
 *
 * @param root The value: a plain object.
 * @param writeLeaf Writes what superjson has no notion of.
 * @param cost Counts what is costly to read.
 * @returns What superjson would have written, or undefined when only superjson
 * knows what that is.
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
  #many: Set<unknown> | undefined;
  /** The annotations of the value that was written last. */
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
        // superjson takes equal ones for one object.
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

  /** A value that is in another place too is superjson's to write. */
  #assertUnique(value: unknown): void {
    if (this.#many !== undefined) {
      if (this.#many.has(value)) throw NEEDS_SUPERJSON;
      this.#many.add(value);
      return;
    }
    // Not indexOf: NaN is to be found.
    if (this.#seen.includes(value)) throw NEEDS_SUPERJSON;
    if (this.#seen.push(value) > LINEAR_SEARCH_LIMIT) {
      this.#many = new Set(this.#seen);
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
      // JSON has no word for the holes of an array.
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

  /** Adds the annotations of the value under a key to those of what holds it. */
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
