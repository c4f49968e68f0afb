// Decodes superjson's format: turns JSON and its `meta` into the values that were
// encoded. Stricter than superjson's own reader, which ignores annotations that do
// not fit, and exact where that one loses what was written (the order of a set,
// objects that contain each other, a map with the key NaN).

import { errorFromRecord } from "./error_record.ts";
import { CostError, type MessageCost } from "./message_cost.ts";
import { isPlainObject } from "./value_kind.ts";
import { describeValue, excerpt, ProtocolError } from "./protocol.ts";

/** Makes the value of a custom annotation. */
export type ReadCustom = (name: string, json: unknown) => unknown;

/** What all documents of one message share. */
export interface ReadOptions {
  /** Makes the values of the annotations `["custom", NAME]`. */
  readCustom: ReadCustom;
  /** The cost of the message so far. */
  cost: MessageCost;
}

/** The state of the decoding of one document. */
interface Reading extends ReadOptions {
  /**
   * The items of sets and maps as they were sent. Two items that are equal to
   * objects elsewhere in the message are both `null` at first, of which a set
   * keeps one.
   */
  lists: Map<unknown, unknown[]>;
}

/**
 * Applies `meta` to the JSON that it belongs to.
 *
 * @param json The JSON, which is modified.
 * @param meta superjson's `meta`.
 * @param options Makes the values of custom annotations, and counts the cost.
 * @returns The value.
 * @throws {ProtocolError} When `meta` does not fit the JSON.
 * @throws {CostError} When the message costs too much.
 */
export function applyMeta(
  json: unknown,
  meta: unknown,
  options: ReadOptions,
): unknown {
  if (!isRecord(meta)) throw metaError("it is not an object");
  const reading: Reading = { ...options, lists: new Map() };
  let value = json;
  if (meta.values !== undefined) {
    value = applyTree(value, meta.values, reading);
  }
  if (meta.referentialEqualities !== undefined) {
    applyEqualities(value, meta.referentialEqualities, reading);
  }
  return value;
}

function applyTree(
  value: unknown,
  tree: unknown,
  reading: Reading,
): unknown {
  if (Array.isArray(tree)) {
    const [annotation, inside] = tree;
    if (inside !== undefined) value = applyTree(value, inside, reading);
    return revive(annotation, value, reading);
  }
  if (!isRecord(tree)) throw metaError("a tree is not an object");
  for (const [path, subtree] of Object.entries(tree)) {
    const keys = parsePath(path);
    const last = keys.pop()!;
    let parent = value;
    for (const key of keys) parent = childOf(parent, key, path);
    const child = childOf(parent, last, path);
    (parent as Record<string, unknown>)[last] = applyTree(
      child,
      subtree,
      reading,
    );
  }
  return value;
}

function childOf(parent: unknown, key: string, path: string): unknown {
  const fits = Array.isArray(parent)
    ? /^\d+$/.test(key) && Number(key) < parent.length
    : isRecord(parent) && Object.hasOwn(parent, key);
  if (!fits) throw metaError(`there is no ${excerpt(path)}`);
  return (parent as Record<string, unknown>)[key];
}

/** Splits a path at its dots; a backslash escapes a dot or a backslash of a key. */
function parsePath(path: string): string[] {
  if (!path.includes("\\")) return path.split(".");
  const keys = [""];
  for (let index = 0; index < path.length; index++) {
    let character = path[index]!;
    if (character === ".") {
      keys.push("");
      continue;
    }
    if (character === "\\") {
      character = path[++index]!;
      if (character !== "." && character !== "\\") {
        throw metaError(`${excerpt(path)} is not a path`);
      }
    }
    keys[keys.length - 1] += character;
  }
  return keys;
}

function revive(
  annotation: unknown,
  json: unknown,
  reading: Reading,
): unknown {
  const { cost } = reading;
  cost.annotation();
  if (Array.isArray(annotation)) {
    const [kind, name] = annotation;
    if (kind === "custom" && typeof name === "string") {
      return reading.readCustom(name, json);
    }
    if (kind === "typed-array" && Object.hasOwn(TYPED_ARRAYS, name)) {
      if (!Array.isArray(json)) throw metaError(`a ${name} is not a list`);
      return new TYPED_ARRAYS[name]!(json as number[]);
    }
  } else if (
    typeof annotation === "string" && Object.hasOwn(REVIVERS, annotation)
  ) {
    try {
      return REVIVERS[annotation]!(json, reading);
    } catch (error) {
      if (error instanceof ProtocolError || error instanceof CostError) {
        throw error;
      }
      throw metaError(`${describeValue(json)} is not a valid ${annotation}`);
    }
  }
  throw metaError(`there is no annotation ${describeValue(annotation)}`);
}

const TYPED_ARRAYS: Record<string, new (values: number[]) => unknown> = {
  Int8Array,
  Uint8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  Uint8ClampedArray,
};

const NUMBERS: Record<string, number> = {
  "NaN": NaN,
  "Infinity": Infinity,
  "-Infinity": -Infinity,
  "-0": -0,
};

const REVIVERS: Record<string, (json: unknown, reading: Reading) => unknown> = {
  undefined: () => undefined,
  bigint(json, { cost }) {
    const digits = text(json);
    cost.bigint(digits.length);
    return BigInt(digits);
  },
  Date(json) {
    const date = new Date(text(json));
    if (Number.isNaN(date.valueOf())) throw new RangeError();
    return date;
  },
  Error(json, { cost }) {
    cost.error();
    return errorFromRecord(record(json));
  },
  regexp(json, { cost }) {
    const whole = text(json);
    cost.pattern(whole);
    const end = whole.lastIndexOf("/");
    return new RegExp(whole.slice(1, end), whole.slice(end + 1));
  },
  set(json, reading) {
    const items = list(json);
    const set = new Set();
    reading.cost.insert(items, (item) => set.add(item), (item) => item);
    if (set.size < items.length) reading.lists.set(set, items);
    return set;
  },
  map(json, reading) {
    const items = list(json).map((pair) => list(pair) as [unknown, unknown]);
    const map = new Map();
    reading.cost.insert(
      items,
      ([key, value]) => map.set(key, value),
      ([key]) => key,
    );
    if (map.size < items.length) reading.lists.set(map, items);
    return map;
  },
  number(json) {
    const name = text(json);
    if (!Object.hasOwn(NUMBERS, name)) throw new RangeError();
    return NUMBERS[name];
  },
  URL: (json) => new URL(text(json)),
};

function text(json: unknown): string {
  if (typeof json !== "string") throw new TypeError();
  return json;
}

function list(json: unknown): unknown[] {
  if (!Array.isArray(json)) throw new TypeError();
  return json;
}

function record(json: unknown): Record<string, unknown> {
  if (!isRecord(json)) throw new TypeError();
  return json;
}

/** The most passes over the equalities of a document. */
const MAX_PASSES = 16;

/**
 * Puts the same object at each path where the same object was. A path can lead
 * through an object that is replaced itself, so passes are made until one changes
 * nothing.
 */
function applyEqualities(
  root: unknown,
  equalities: unknown,
  reading: Reading,
): void {
  const [ofRoot, rest] = Array.isArray(equalities)
    ? [equalities[0], equalities[1] ?? {}]
    : [[], equalities];
  if (!isRecord(rest)) throw metaError("its equalities are not an object");
  const groups = Object.entries(rest).map(([path, others]) => ({
    path: parsePath(path),
    others: pathsOf(others),
  }));
  const rootPaths = pathsOf(ofRoot);
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const graph = new Graph(root, reading);
    for (const path of rootPaths) graph.set(path, root);
    for (const { path, others } of groups) {
      const object = graph.get(path);
      // superjson also notes equal primitive values, which need nothing.
      if (typeof object !== "object" && typeof object !== "function") continue;
      for (const other of others) graph.set(other, object);
    }
    graph.finish();
    if (!graph.hasChanged) return;
  }
  throw metaError("its equalities contradict each other");
}

function pathsOf(paths: unknown): string[][] {
  if (!Array.isArray(paths)) throw metaError("its equalities are not a list");
  return paths.map((path) => {
    if (typeof path !== "string") throw metaError("a path is not a string");
    return parsePath(path);
  });
}

/** The properties of errors that are always strings. */
const ERROR_STRINGS: ReadonlySet<string> = new Set([
  "name",
  "message",
  "stack",
]);

/** The values of a document, by path. */
class Graph {
  readonly #root: unknown;
  readonly #cost: MessageCost;
  /** The items of sets and maps, which paths lead through. */
  readonly #lists: Map<unknown, unknown[]>;
  readonly #touched = new Set<unknown>();
  hasChanged = false;

  constructor(root: unknown, { cost, lists }: Reading) {
    this.#root = root;
    this.#cost = cost;
    this.#lists = lists;
  }

  get(path: readonly string[]): unknown {
    let value = this.#root;
    let index = 0;
    while (index < path.length) {
      const [parent, used] = this.#listOf(value, path, index);
      value = this.#child(parent, path[index + used - 1]!, path);
      index += used;
    }
    return value;
  }

  set(path: readonly string[], object: unknown): void {
    let value = this.#root;
    let index = 0;
    for (;;) {
      const [parent, used] = this.#listOf(value, path, index);
      const key = path[index + used - 1]!;
      const child = this.#child(parent, key, path);
      index += used;
      if (index < path.length) {
        value = child;
        continue;
      }
      if (child === object) return;
      if (value instanceof Error && ERROR_STRINGS.has(key)) {
        throw metaError(`an error's ${key} is not a string`);
      }
      this.hasChanged = true;
      if (parent !== value) this.#touched.add(value);
      Object.defineProperty(parent, key, {
        value: object,
        writable: true,
        configurable: true,
        enumerable: !(value instanceof Error && key === "cause"),
      });
      return;
    }
  }

  /** Fills the sets and maps whose items have changed, in the order of the items. */
  finish(): void {
    for (const value of this.#touched) {
      const items = this.#lists.get(value)!;
      if (value instanceof Set) {
        value.clear();
        this.#cost.insert(items, (item) => value.add(item), (item) => item);
      } else if (value instanceof Map) {
        value.clear();
        this.#cost.insert(
          items as [unknown, unknown][],
          ([key, item]) => value.set(key, item),
          ([key]) => key,
        );
      }
    }
  }

  /** Returns the object that the next key of a path belongs to, and how many keys of the path lead to its value. */
  #listOf(
    value: unknown,
    path: readonly string[],
    index: number,
  ): [parent: object, used: number] {
    if (value instanceof Map || value instanceof Set) {
      let items = this.#lists.get(value);
      if (items === undefined) {
        items = value instanceof Map
          ? [...value].map((pair) => [...pair])
          : [...value];
        this.#lists.set(value, items);
      }
      if (value instanceof Set) return [items, 1];
      if (index + 1 >= path.length) {
        throw metaError(`${path.join(".")} ends in a map`);
      }
      return [this.#child(items, path[index]!, path) as object, 2];
    }
    if (Array.isArray(value) || value instanceof Error || isRecord(value)) {
      return [value, 1];
    }
    throw metaError(`there is no ${excerpt(path.join("."))}`);
  }

  #child(parent: object, key: string, path: readonly string[]): unknown {
    if (!Object.hasOwn(parent, key) || key === "length") {
      throw metaError(`there is no ${excerpt(path.join("."))}`);
    }
    return (parent as Record<string, unknown>)[key];
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    isPlainObject(value);
}

function metaError(what: string): ProtocolError {
  return new ProtocolError(`a message's meta does not fit it: ${what}`);
}
