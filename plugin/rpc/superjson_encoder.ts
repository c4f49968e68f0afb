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

/** Annotations by their paths. */
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

/** An annotation with its path. */
interface Annotation {
  readonly path: string;
  readonly annotation: unknown;
  /** How many keys lead to the list or object that contains the value. */
  readonly level: number;
  /** Whether the value's own key is an index. */
  readonly isIndex: boolean;
}

/** The root, or a value with an annotation: the annotations inside of it are in a tree of its own. */
interface Scope {
  readonly annotations: Annotation[];
  /** How many keys lead to the value itself. */
  readonly level: number;
  /** The paths of the keys behind those, as far as they were needed. */
  readonly prefixes: string[];
}

class TreeWriter {
  readonly #writeLeaf: WriteLeaf;
  readonly #cost: MessageCost;
  readonly #seen: unknown[] = [];
  #seenSet: Set<unknown> | undefined;
  /** The keys that lead to the list or object that is being written. */
  readonly #keys: (string | number)[] = [];
  #scope: Scope = { annotations: [], level: 0, prefixes: [] };

  constructor(writeLeaf: WriteLeaf, cost: MessageCost) {
    this.#writeLeaf = writeLeaf;
    this.#cost = cost;
  }

  document(root: object): Document {
    this.#assertUnique(root);
    const json = this.#record(root as Record<string, unknown>);
    const inner = innerOf(this.#scope);
    return inner === undefined
      ? { json }
      : { json, meta: { values: inner, v: 1 } };
  }

  #value(value: unknown, key: string | number): unknown {
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "undefined":
        return this.#annotated("undefined", null, key);
      case "number":
        return this.#number(value, key);
      case "bigint":
        // superjson treats equal bigints as the same object.
        this.#assertUnique(value);
        return this.#bigint(value.toString(), key);
      case "object":
        if (value === null) return null;
        return this.#object(value, key);
      case "function":
        return this.#leaf(value, key);
      default:
        throw NEEDS_SUPERJSON;
    }
  }

  #bigint(digits: string, key: string | number): unknown {
    this.#cost.bigint(digits.length);
    return this.#annotated("bigint", digits, key);
  }

  #annotated(
    annotation: unknown,
    json: unknown,
    key: string | number,
  ): unknown {
    this.#annotate([annotation], key);
    return json;
  }

  /** Adds an annotation, with its path inside of the scope. */
  #annotate(annotation: unknown, key: string | number): void {
    this.#cost.annotation();
    const { annotations } = this.#scope;
    const path = `${this.#prefix()}${escaped(key)}`;
    this.#cost.path(path.length);
    annotations.push({
      path,
      annotation,
      level: this.#keys.length,
      isIndex: typeof key === "number" || INDEX.test(key),
    });
  }

  /** Returns the path to the list or object that is being written, made once for all of its values. */
  #prefix(): string {
    const { level, prefixes } = this.#scope;
    const count = this.#keys.length - level;
    let prefix = prefixes[prefixes.length - 1] ?? "";
    while (prefixes.length < count) {
      prefix += `${escaped(this.#keys[level + prefixes.length]!)}.`;
      prefixes.push(prefix);
    }
    return prefix;
  }

  #leave(): void {
    this.#keys.pop();
    const { level, prefixes } = this.#scope;
    if (prefixes.length > this.#keys.length - level) prefixes.pop();
  }

  #number(value: number, key: string | number): unknown {
    if (Number.isFinite(value)) {
      return value === 0 && 1 / value < 0
        ? this.#annotated("number", "-0", key)
        : value;
    }
    this.#assertUnique(value);
    return this.#annotated("number", String(value), key);
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

  #object(value: object, key: string | number): unknown {
    this.#assertUnique(value);
    if (Array.isArray(value)) {
      this.#keys.push(key);
      const json = this.#list(value);
      this.#leave();
      return json;
    }
    if (isPlainObject(value)) {
      this.#keys.push(key);
      const json = this.#record(value as Record<string, unknown>);
      this.#leave();
      return json;
    }
    if (value instanceof Date) {
      if (Number.isNaN(value.valueOf())) throw NEEDS_SUPERJSON;
      return this.#annotated("Date", value.toISOString(), key);
    }
    if (value instanceof Map) {
      return this.#collection([...value.entries()], "map", key);
    }
    if (value instanceof Set) {
      return this.#collection([...value.values()], "set", key);
    }
    if (value instanceof URL) {
      return this.#annotated("URL", value.toString(), key);
    }
    if (value instanceof RegExp) {
      this.#cost.pattern(`${value}`);
      return this.#annotated("regexp", `${value}`, key);
    }
    return this.#leaf(value, key);
  }

  #leaf(value: object, key: string | number): unknown {
    if (typeof value === "function") this.#assertUnique(value);
    const leaf = this.#writeLeaf(value);
    if (leaf === undefined) throw NEEDS_SUPERJSON;
    return this.#annotated(["custom", leaf.name], leaf.json, key);
  }

  /** Writes a list with an annotation, which contains those of its items. */
  #collection(
    items: unknown[],
    annotation: string,
    key: string | number,
  ): unknown[] {
    const outer = this.#scope;
    const scope: Scope = {
      annotations: [],
      level: this.#keys.length + 1,
      prefixes: [],
    };
    this.#scope = scope;
    this.#keys.push(key);
    const json = this.#list(items);
    this.#leave();
    this.#scope = outer;
    const inner = innerOf(scope);
    this.#annotate(
      inner === undefined ? [annotation] : [annotation, inner],
      key,
    );
    return json;
  }

  #list(items: unknown[]): unknown[] {
    const json = new Array(items.length);
    const first = this.#scope.annotations.length;
    for (let index = 0; index < items.length; index++) {
      // JSON cannot represent the holes of an array.
      if (!(index in items)) throw NEEDS_SUPERJSON;
      json[index] = this.#value(items[index], index);
    }
    this.#order(first);
    return json;
  }

  #record(object: Record<string, unknown>): unknown {
    const json: Record<string, unknown> = {};
    const first = this.#scope.annotations.length;
    for (const key in object) {
      const value = object[key];
      if (typeof value === "function" || key === "__proto__") {
        throw NEEDS_SUPERJSON;
      }
      json[key] = this.#value(value, key);
    }
    this.#order(first);
    return json;
  }

  /**
   * Puts the annotations of a list or an object into superjson's order, which
   * writes each level into an object, in which indexes come first.
   */
  #order(first: number): void {
    const { annotations } = this.#scope;
    if (annotations.length - first < 2) return;
    const level = this.#keys.length;
    let isOrdered = true;
    let hasOther = false;
    for (let index = first; index < annotations.length; index++) {
      const one = annotations[index]!;
      if (!one.isIndex || one.level !== level) hasOther = true;
      else if (hasOther) isOrdered = false;
    }
    if (isOrdered) return;
    const inside = annotations.splice(first);
    const isFirst = (one: Annotation) => one.isIndex && one.level === level;
    for (const one of inside) if (isFirst(one)) annotations.push(one);
    for (const one of inside) if (!isFirst(one)) annotations.push(one);
  }
}

/** A key that comes first in an object, in whichever order keys are added. */
const INDEX = /^(?:0|[1-9]\d{0,9})$/;

function innerOf({ annotations }: Scope): Inner | undefined {
  if (annotations.length === 0) return undefined;
  const inner: Inner = {};
  for (const { path, annotation } of annotations) inner[path] = annotation;
  return inner;
}

function escaped(key: string | number): string {
  return typeof key === "string" && /[.\\]/.test(key)
    ? key.replace(/\\/g, "\\\\").replace(/\./g, "\\.")
    : String(key);
}
