// The size of a value once it is written. An object that occurs twice is written
// twice, so that a few nested objects can become a text of any length. So the size
// is counted before the value is written, and each object is visited once.

import { tooDeepError } from "./json_depth.ts";
import { CostError, MAX_ANNOTATIONS, MAX_VALUES } from "./message_cost.ts";
import { DEFAULT_LIMITS } from "./protocol.ts";
import { isPlainObject } from "./value_kind.ts";

/**
 * The most keys in the paths of all values that superjson's writer visits: it
 * makes a list of the keys for each of them.
 */
const MAX_PATH_KEYS = 20_000_000;

/**
 * The most keys in the paths of all annotations, which superjson's writer makes
 * anew on each level above the value.
 */
const MAX_ANNOTATION_KEYS = 500_000;

/** The size of a value once it is written. */
export interface WrittenSize {
  /** The numbers, strings, lists, objects, ... */
  values: number;
  /** The characters of strings and keys, and the raw bytes. */
  length: number;
}

/** The same, with the cost of its annotations. */
interface AnnotatedSize extends WrittenSize {
  /** The values that have an annotation. */
  annotations: number;
  /** How often a key is put in front of the path of one of those. */
  annotationKeys: number;
}

const NOTHING: Readonly<AnnotatedSize> = {
  values: 0,
  length: 0,
  annotations: 0,
  annotationKeys: 0,
};

/** Counts the values that are written into one message, or that are kept of several. */
export class SizeCounter {
  readonly #sizes = new Map<object, Readonly<AnnotatedSize>>();
  #pathKeys = 0;

  /**
   * Returns the size of a value. A value that is sent by reference is one value.
   *
   * @param value The value.
   * @throws {CostError} When it is larger than any message may be.
   * @throws {RangeError} When it is nested too deep.
   */
  sizeOf(value: unknown): WrittenSize {
    const size = { ...NOTHING };
    this.#add(size, value, 0);
    return { values: size.values, length: size.length };
  }

  #add(size: AnnotatedSize, value: unknown, depth: number): void {
    this.#pathKeys += depth;
    size.values++;
    if (isAnnotated(value)) size.annotations++;
    if (typeof value === "string") size.length += value.length;
    else if (typeof value === "object" && value !== null) {
      const inner = this.#sizes.get(value) ?? this.#inside(value, depth);
      size.values += inner.values;
      size.length += inner.length;
      size.annotations += inner.annotations;
      size.annotationKeys += inner.annotationKeys + inner.annotations;
    }
    this.#check(size);
  }

  #check({ values, length, annotations, annotationKeys }: AnnotatedSize): void {
    if (values > MAX_VALUES) {
      throw new CostError(`more than ${MAX_VALUES} values`);
    }
    if (length > DEFAULT_LIMITS.bytes) {
      throw new CostError(`more than ${DEFAULT_LIMITS.bytes} bytes`);
    }
    if (annotations > MAX_ANNOTATIONS) {
      throw new CostError(
        `more than ${MAX_ANNOTATIONS} values that JSON cannot represent`,
      );
    }
    if (
      this.#pathKeys > MAX_PATH_KEYS || annotationKeys > MAX_ANNOTATION_KEYS
    ) throw new CostError("many values that are nested too deep");
  }

  #inside(value: object, depth: number): Readonly<AnnotatedSize> {
    if (depth > DEFAULT_LIMITS.depth) throw tooDeepError();
    const size = { ...NOTHING };
    // In an object that contains itself, the inner one is written as null.
    this.#sizes.set(value, NOTHING);
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
      size.length = value.byteLength;
    } else if (value instanceof Map) {
      for (const [key, item] of value) {
        this.#add(size, key, depth + 2);
        this.#add(size, item, depth + 2);
      }
    } else if (Array.isArray(value) || value instanceof Set) {
      for (const item of value) this.#add(size, item, depth + 1);
    } else if (value instanceof Error) {
      // The properties of an error are not enumerable.
      this.#addFields(size, value, Object.getOwnPropertyNames(value), depth);
    } else if (isPlainObject(value)) {
      this.#addFields(size, value, Object.keys(value), depth);
    }
    this.#sizes.set(value, size);
    return size;
  }

  #addFields(
    size: AnnotatedSize,
    value: object,
    keys: readonly string[],
    depth: number,
  ): void {
    for (const key of keys) {
      const field = Object.getOwnPropertyDescriptor(value, key);
      size.length += key.length;
      this.#add(size, field?.value, depth + 1);
    }
  }
}

/** Whether a value needs an annotation. */
function isAnnotated(value: unknown): boolean {
  switch (typeof value) {
    case "undefined":
    case "bigint":
    case "function":
      return true;
    case "number":
      return !Number.isFinite(value);
    case "object":
      return value !== null && !Array.isArray(value) && !isPlainObject(value);
    default:
      return false;
  }
}
