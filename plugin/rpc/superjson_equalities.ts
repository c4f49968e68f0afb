// superjson's referential equalities: paths at which the same object was.

import type { MessageCost } from "./message_cost.ts";
import { excerpt } from "./protocol.ts";
import {
  isRecord,
  metaError,
  parsePath,
  type Reading,
} from "./superjson_meta.ts";

/** The most passes over the equalities of a document. */
const MAX_PASSES = 16;

/**
 * Puts the same object at each path where the same object was. A path can lead
 * through an object that is replaced itself, so passes are made until one changes
 * nothing.
 *
 * @param root The document.
 * @param equalities superjson's `referentialEqualities`.
 * @param reading The state of the decoding.
 * @throws {ProtocolError} When the equalities do not fit the document.
 */
export function applyEqualities(
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
