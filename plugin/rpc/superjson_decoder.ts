// Decodes superjson's format: turns JSON and its `meta` into the values that were
// encoded. Stricter than superjson's own reader, which ignores annotations that do
// not fit, and exact where that one loses what was written (the order of a set,
// objects that contain each other, a map with the key NaN).

import { excerpt } from "./protocol.ts";
import { applyEqualities } from "./superjson_equalities.ts";
import {
  isRecord,
  metaError,
  parsePath,
  type Reading,
  type ReadOptions,
} from "./superjson_meta.ts";
import { revive } from "./superjson_revivers.ts";

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
