// The values of superjson's annotations: dates, maps, regular expressions and so on.

import { errorFromRecord } from "./error_record.ts";
import { CostError } from "./message_cost.ts";
import { describeValue, ProtocolError } from "./protocol.ts";
import { isRecord, metaError, type Reading } from "./superjson_meta.ts";

/**
 * Makes the value of an annotation.
 *
 * @param annotation The annotation.
 * @param json What stands for the value.
 * @param reading The state of the decoding.
 * @throws {ProtocolError} When the annotation is unknown or does not fit the JSON.
 */
export function revive(
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
