// Mutations of valid messages: random ones of their bytes, and structured ones of their JSON.

import type { Random } from "../support/random.ts";
import { concat } from "./sessions.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** A part of a session, with something wrong in it. */
export function mutated(
  random: Random,
  messages: readonly Uint8Array[],
): Uint8Array {
  const from = random.below(messages.length);
  const part = messages.slice(from, from + 1 + random.below(4)).map((message) =>
    random.once(2) ? structurally(random, message, messages) : message
  );
  if (random.once(8)) part.push(random.of(messages));
  if (random.once(8)) part.reverse();
  let bytes = concat(part);
  for (let times = random.below(3); times > 0; times--) {
    bytes = blindly(random, bytes, messages);
  }
  return bytes;
}

function blindly(
  random: Random,
  bytes: Uint8Array<ArrayBuffer>,
  messages: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) return bytes;
  const at = random.below(bytes.length);
  const end = at + random.below(Math.min(64, bytes.length - at) + 1);
  const cut = (middle: readonly Uint8Array[]) =>
    concat([bytes.subarray(0, at), ...middle, bytes.subarray(end)]);
  switch (random.below(7)) {
    case 0: {
      const copy = bytes.slice();
      for (let times = 1 + random.below(8); times > 0; times--) {
        copy[random.below(copy.length)]! ^= 1 << random.below(8);
      }
      return copy;
    }
    case 1:
      return bytes.slice(0, at);
    case 2:
      return cut([]);
    case 3: {
      const twice = bytes.subarray(at, end);
      return cut([twice, twice]);
    }
    case 4: {
      const other = random.of(messages);
      const begin = random.below(other.length);
      return cut([other.subarray(begin, begin + random.below(200))]);
    }
    case 5:
      return cut([Uint8Array.from(
        { length: random.below(16) },
        () => random.below(256),
      )]);
    default:
      return cut([
        encoder.encode(random.of(["\n", "{", '"', "}", "\\", "\0"])),
      ]);
  }
}

/** Values that somewhere mean something. */
const VALUES: readonly unknown[] = [
  ...[0, -1, 1, 2, 3, 4, 5, 7, 8, 1.5, 1e308, -1e308],
  ...[2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53],
  ...[null, true, false, "", "0", "-0", "NaN", "length", "then", "toString"],
  ...["__proto__", "constructor", "prototype", "call", "apply", "create"],
  ...["_hidden", "hasOwnProperty", "read", "write", "close", "cancel", "abort"],
  ...[[], {}, [[]], [null], { json: 1 }, { ref: 1 }, { ref: 2, methods: [] }],
  ...["9".repeat(2_000), "x".repeat(5_000)],
];

const KEYS: readonly string[] = [
  ...["call", "return", "throw", "release", "abort", "on", "method", "args"],
  ...["value", "error", "count", "reason", "bytes", "hello", "ref", "methods"],
  ...["fields", "class", "text", "name", "message", "cause", "errors", "stack"],
  ...["aborted", "type", "json", "meta", "values", "referentialEqualities"],
  ...["v", "0", "1", "length", "then", "constructor", "prototype", "toString"],
  ...["toJSON", "valueOf", "__proto__", "", "a.b", "a\\.b", "\\"],
];

const ANNOTATIONS: readonly unknown[] = [
  ...["undefined", "bigint", "Date", "number", "regexp", "set", "map", "URL"],
  ...["Error", "symbol", "constructor", "__proto__", "", null, 1],
  ...["bytes", "buffer", "error", "function", "object", "signal", "readable"]
    .map((name) => ["custom", name]),
  ...["writable", "yours", "unknown", "constructor", "__proto__"]
    .map((name) => ["custom", name]),
  ...["Int8Array", "Float64Array", "constructor", "BigInt64Array"]
    .map((name) => ["typed-array", name]),
  ...[["class", "X"], ["custom"], [], ["custom", 1], [["custom", "bytes"]]],
];

const PATHS: readonly string[] = [
  ...["args", "args.0", "args.0.set.0", "args.0.map.0.0", "value", "error"],
  ...["value.done", "reason", "bytes", "call", "args.length", "args.-1", "."],
  ...["..", "", "\\", "a\\.b", "args.0.round.self", "constructor", "__proto__"],
  ...["args.0.plain.list.1", "constructor.prototype.polluted"],
  ...["__proto__.polluted", "args.0.error.cause", "args.0.1e0", "args.00"],
];

function nested(random: Random): unknown {
  const depth = random.of([10, 500, 990, 1_000, 1_010, 3_000]);
  let value: unknown = 1;
  const isList = random.once(2);
  for (let level = 0; level < depth; level++) {
    value = isList ? [value] : { a: value };
  }
  return value;
}

/** Changes something in a message's JSON; the bytes after it are kept. */
function structurally(
  random: Random,
  message: Uint8Array,
  messages: readonly Uint8Array[],
): Uint8Array {
  const end = message.indexOf(10) + 1;
  const document: Record<string, unknown> = JSON.parse(
    decoder.decode(message.subarray(0, end)),
  );
  for (let times = 1 + random.below(3); times > 0; times--) {
    mutateOnce(random, document, messages);
  }
  let text = JSON.stringify(document);
  if (random.once(20)) {
    // A key that JSON.stringify cannot be made to write, plain or with escapes.
    const key = random.of(['"__proto__":', '"\\u005f_proto__":']);
    const keys = [...text.matchAll(/"[^"\\]*":/g)];
    const { index, 0: old } = keys[random.below(keys.length || 1)] ??
      { index: 0, 0: "" };
    text = text.slice(0, index) + key + text.slice(index + old.length);
  }
  return concat([encoder.encode(text + "\n"), message.subarray(end)]);
}

function mutateOnce(
  random: Random,
  document: Record<string, unknown>,
  messages: readonly Uint8Array[],
): void {
  if (random.once(150)) return multiply(random, document);
  if (random.once(40)) return callable(random, document);
  switch (random.below(10)) {
    case 0:
      return annotate(random, document);
    case 1:
      return equate(random, document);
    case 2: {
      const json = document.json as Record<string, unknown>;
      if (json !== null && typeof json === "object") {
        json.bytes = random.of<unknown>([
          [],
          [0],
          [0, 0, 0],
          [1],
          [5, 0],
          [2 ** 31],
          [2 ** 30, 1],
          [-1],
          [0.5],
          "5",
          { length: 1 },
          Array(1_000).fill(0),
        ]);
      }
      return;
    }
    default:
      return changeNode(random, document, messages);
  }
}

/** Replaces a random value of the document by another value, removes it, or copies one from elsewhere. */
function changeNode(
  random: Random,
  document: Record<string, unknown>,
  messages: readonly Uint8Array[],
): void {
  const [parent, key] = place(random, document);
  const value = parent[key];
  switch (random.below(8)) {
    case 0:
      delete parent[key];
      return;
    case 1:
      return put(parent, random.of(KEYS), value);
    case 2:
      return put(parent, random.of(KEYS), random.of(VALUES));
    case 3:
      return put(
        parent,
        key,
        random.once(10) ? nested(random) : [value, value],
      );
    case 4:
      return put(
        parent,
        key,
        typeof value === "number"
          ? value + random.below(5) - 2
          : random.of(ANNOTATIONS),
      );
    case 5: {
      const other = random.of(messages);
      const line = decoder.decode(other.subarray(0, other.indexOf(10)));
      const [from, name] = place(random, JSON.parse(line));
      return put(parent, key, from[name]);
    }
    default:
      return put(parent, key, random.of(VALUES));
  }
}

/** Sets a property of any name, `__proto__` included; the value is not changed in the lists above. */
function put(
  parent: Record<string, unknown>,
  key: string,
  value: unknown,
): void {
  Object.defineProperty(parent, Array.isArray(parent) ? "0" : key, {
    value: typeof value === "object"
      ? JSON.parse(JSON.stringify(value))
      : value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

function place(
  random: Random,
  document: Record<string, unknown>,
): [Record<string, unknown>, string] {
  let parent = document;
  for (;;) {
    const keys = Object.keys(parent);
    if (keys.length === 0) return [parent, "0"];
    const key = random.of(keys);
    const child = parent[key];
    if (
      typeof child !== "object" || child === null || random.once(4) ||
      Object.keys(child).length === 0
    ) return [parent, key];
    parent = child as Record<string, unknown>;
  }
}

function annotate(random: Random, document: Record<string, unknown>): void {
  const meta = objectAt(document, "meta");
  const values = objectAt(meta, "values");
  if (random.once(4)) {
    // What would be believed, at a place that all objects share.
    const place = random.of(["", "args.0.", "args.", "value.", "error."]) +
      random.of(["constructor.prototype.", "__proto__.", "constructor."]) +
      random.of(["polluted", "length", "then", "toJSON"]);
    return put(values, place, ["undefined"]);
  }
  const annotation = random.of(ANNOTATIONS);
  put(
    values,
    random.of(PATHS),
    random.once(4)
      ? [annotation, { [random.of(PATHS)]: [random.of(ANNOTATIONS)] }]
      : [annotation],
  );
}

function equate(random: Random, document: Record<string, unknown>): void {
  const meta = objectAt(document, "meta");
  const paths = () =>
    Array.from({ length: 1 + random.below(3) }, () => random.of(PATHS));
  const groups = { [random.of(PATHS)]: paths(), [random.of(PATHS)]: paths() };
  meta.referentialEqualities = random.of<unknown>([
    groups,
    [paths(), groups],
    [paths()],
    [],
    random.of(VALUES),
  ]);
}

/** A value in which each object is in many places: a small message, and a large value. */
function multiply(random: Random, document: Record<string, unknown>): void {
  const json = objectAt(document, "json");
  const key = random.of(["args", "value", "error"]);
  const width = random.of([2, 2, 2, 30]);
  const depth = random.of([3, 20, 60]);
  const keys = Array.from({ length: width }, (_, index) => String(index));
  const isList = random.once(2);
  const equalities: Record<string, string[]> = {};
  let value: unknown = random.of(VALUES);
  let inner = key === "args" ? "args.0" : key;
  for (let level = 0; level < depth; level++) {
    const items = keys.map((_, index) => index === 0 ? value : null);
    value = isList ? items : Object.fromEntries(
      items.map((item, index) => [String(index), item]),
    );
    equalities[`${inner}.0`] = keys.slice(1).map((one) => `${inner}.${one}`);
    inner += ".0";
  }
  json[key] = key === "args" ? [value] : value;
  objectAt(document, "meta").referentialEqualities = equalities;
}

/** The members that the language itself calls, when a value is converted or awaited, and those of interfaces. */
const MEMBERS: readonly string[] = [
  ...["then", "toString", "valueOf", "toJSON", "next", "length", "message"],
  ...["say", "destroy", "id", "files", "name", "cause", "errors"],
];

/** An object of the other side with members that a conversion calls. */
function callable(random: Random, document: Record<string, unknown>): void {
  const json = objectAt(document, "json");
  const key = random.of(["args", "value", "error"]);
  const path = key === "args" ? "args.0" : key;
  const names = Array.from(
    { length: 1 + random.below(4) },
    () => random.of(MEMBERS),
  );
  const values = objectAt(objectAt(document, "meta"), "values");
  const ref = () => 1 + random.below(9);
  let value: Record<string, unknown>;
  if (random.once(2)) {
    value = Object.fromEntries(names.map((name) => [name, { ref: ref() }]));
    for (const name of names) {
      values[`${path}.${name}`] = [["custom", "function"]];
    }
  } else {
    value = {
      ref: ref(),
      class: random.of(["X", "Object", "Promise", "Error"]),
      methods: names,
      fields: { json: { id: "1", files: [random.of(VALUES)] } },
      ...random.once(2) ? { text: random.of(VALUES) } : {},
    };
    values[path] = [["custom", "object"]];
  }
  json[key] = key === "args" ? [value] : value;
}

/**
 * An answer to a call that nobody in the recorded session made.
 *
 * @param random Chooses the answer.
 * @param call The call's number.
 */
export function strangeAnswer(random: Random, call: number): Uint8Array {
  const document: Record<string, unknown> = {
    json: random.once(4)
      ? { throw: call, error: random.of(VALUES) }
      : { return: call, value: random.of(VALUES) },
  };
  switch (random.below(12)) {
    case 0:
      multiply(random, document);
      break;
    case 1:
    case 2:
      callable(random, document);
      break;
    case 3:
    case 4:
      document.json = {
        return: call,
        value: { then: { ref: 1 + random.below(9) } },
      };
      document.meta = {
        values: { "value.then": [["custom", "function"]] },
        v: 1,
      };
      break;
  }
  return encoder.encode(`${JSON.stringify(document)}\n`);
}

function objectAt(
  parent: Record<string, unknown>,
  key: string,
): Record<string, unknown> {
  const there = parent[key];
  if (typeof there === "object" && there !== null && !Array.isArray(there)) {
    return there as Record<string, unknown>;
  }
  const made: Record<string, unknown> = {};
  parent[key] = made;
  return made;
}
