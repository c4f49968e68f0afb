// The cost of a message: values that take far more time or memory to create
// than their bytes suggest are counted, on both sides, before they are created.

import { DEFAULT_LIMITS } from "./protocol.ts";

/** The most values (numbers, strings, lists, objects, ...) in one message. */
export const MAX_VALUES = 1_000_000;

/** The most annotated values in one message. */
export const MAX_ANNOTATIONS = 150_000;

/** The most errors in one message: each has a stack. */
export const MAX_ERRORS = 10_000;

/** The most references (functions, objects, signals, streams) in one message. */
export const MAX_REFERENCES = 10_000;

/** The most digits of all bigints in one message: reading them takes more than linear time. */
export const MAX_BIGINT_DIGITS = 100_000;

/** The most cost of all patterns in one message, in characters. */
export const MAX_PATTERN_COST = 10_000;

/**
 * The cost of `\p{...}` in a pattern, in characters. V8 builds the set of its
 * characters when the pattern is parsed: up to 8 ms and 1 MiB each.
 */
const PROPERTY_COST = 500;

/** A message that costs more than the limits allow. */
export class CostError extends RangeError {
  /** The name of the class, which is kept when the error is sent to another process. */
  override readonly name = "RangeError";
}

/** The cost of one message so far. */
export class MessageCost {
  #annotations = 0;
  /** The length of the paths of annotations, in characters. */
  #pathsLength = 0;
  #errors = 0;
  #references = 0;
  #digits = 0;
  #patterns = 0;
  #slowMs = 0;
  #maxSlowMs = FIRST_SUSPICION_MS;
  #sampleSize = FIRST_SAMPLE_KEYS;

  /** Counts an annotated value. */
  annotation(): void {
    if (++this.#annotations > MAX_ANNOTATIONS) {
      throw new CostError(
        `more than ${MAX_ANNOTATIONS} values that JSON cannot represent`,
      );
    }
  }

  /**
   * Counts the path of an annotation that is written.
   *
   * @param length Its length, in characters.
   */
  path(length: number): void {
    this.#pathsLength += length;
    if (this.#pathsLength > DEFAULT_LIMITS.line) {
      throw new CostError("many values that are nested too deep");
    }
  }

  /** Counts an error. */
  error(): void {
    if (++this.#errors > MAX_ERRORS) {
      throw new CostError(`more than ${MAX_ERRORS} errors`);
    }
  }

  /** Counts a reference. */
  reference(): void {
    if (++this.#references > MAX_REFERENCES) {
      throw new CostError(`more than ${MAX_REFERENCES} references`);
    }
  }

  /**
   * Counts the digits of a bigint.
   *
   * @param digits How many there are.
   */
  bigint(digits: number): void {
    this.#digits += digits;
    if (this.#digits > MAX_BIGINT_DIGITS) {
      throw new CostError(`bigints of more than ${MAX_BIGINT_DIGITS} digits`);
    }
  }

  /**
   * Counts a pattern.
   *
   * @param source The pattern, with or without its flags.
   */
  pattern(source: string): void {
    this.#patterns += source.length;
    // Only as far as the cost is within the limit.
    for (
      let at = source.indexOf("\\");
      at !== -1 && this.#patterns <= MAX_PATTERN_COST;
      at = source.indexOf("\\", at + 2)
    ) {
      if (source[at + 1] === "p" || source[at + 1] === "P") {
        this.#patterns += PROPERTY_COST;
      }
    }
    if (this.#patterns > MAX_PATTERN_COST) {
      throw new CostError(
        `patterns that are too large (the limit is ${MAX_PATTERN_COST} characters, and each \\p counts as ${PROPERTY_COST})`,
      );
    }
  }

  /**
   * Adds items to a set or a map. Throws when their keys collide: V8's hash of a
   * number has no seed, so that a peer can choose numbers with the same hash, and
   * each insertion then compares with all earlier ones.
   *
   * @param items What to add.
   * @param add Adds one item.
   * @param keyOf The key of an item.
   */
  insert<T>(
    items: readonly T[],
    add: (item: T) => void,
    keyOf: (item: T) => unknown,
  ): void {
    if (items.length <= INSERTIONS_PER_CHECK) {
      for (const item of items) add(item);
      return;
    }
    for (let begin = 0; begin < items.length; begin += INSERTIONS_PER_CHECK) {
      const end = Math.min(begin + INSERTIONS_PER_CHECK, items.length);
      const started = performance.now();
      for (let index = begin; index < end; index++) add(items[index]!);
      const took = performance.now() - started;
      this.#slowMs += Math.max(0, took - (end - begin) * USUAL_INSERTION_MS);
      if (this.#slowMs < this.#maxSlowMs) continue;
      // Slow, maybe only because the machine is busy: a comparison tells.
      if (collide(items, end, keyOf, this.#sampleSize)) {
        throw new CostError("a set or a map whose keys collide");
      }
      this.#maxSlowMs *= 2;
      this.#sampleSize *= 2;
    }
  }
}

/**
 * Whether keys collide: a set of some of them takes far longer to make than one
 * of as many random numbers, at the same time on the same machine.
 */
function collide<T>(
  items: readonly T[],
  count: number,
  keyOf: (item: T) => unknown,
  sampleSize: number,
): boolean {
  const size = Math.min(sampleSize, count);
  const keys = Array.from(
    { length: size },
    (_, index) => keyOf(items[Math.floor(index * count / size)]!),
  );
  const usual = Array.from({ length: size }, () => Math.random());
  let [keysMs, usualMs] = [Infinity, Infinity];
  for (let round = 0; round < MAX_COMPARISONS; round++) {
    keysMs = Math.min(keysMs, insertionMs(keys));
    usualMs = Math.min(usualMs, insertionMs(usual));
    const isSlow = keysMs > COLLIDING_RATIO * usualMs;
    if (!isSlow && round + 1 >= MIN_COMPARISONS) return false;
  }
  return keysMs > COLLIDING_RATIO * usualMs;
}

function insertionMs(keys: readonly unknown[]): number {
  const started = performance.now();
  const set = new Set();
  for (const key of keys) set.add(key);
  return performance.now() - started;
}

/** How many insertions are made between two checks of the time. */
const INSERTIONS_PER_CHECK = 256;

/** The longest insertion on an idle machine, in milliseconds: five times the usual one. */
const USUAL_INSERTION_MS = 0.001;

/** After how much unusual time the keys are compared first, in milliseconds. */
const FIRST_SUSPICION_MS = 100;

/** How many keys are compared first. */
const FIRST_SAMPLE_KEYS = 2048;

/** How often the same keys are timed at least; the fastest time counts. */
const MIN_COMPARISONS = 3;

/**
 * How often keys that look as if they collide are timed: on a busy machine, a
 * few timings in a row can all be interrupted.
 */
const MAX_COMPARISONS = 16;

/** Keys collide if their insertion takes so many times as long as that of random numbers. */
const COLLIDING_RATIO = 8;

const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const OPEN_BRACKET = 91;
const OPEN_BRACE = 123;

/** A shorter line is not read to estimate its memory, in bytes. */
const MIN_COUNTED_BYTES = 64 * 1024;

/** The least bytes of a value, on average, in lines that are not read. */
const BYTES_PER_VALUE = 4;

/** The most memory of a parsed value, in bytes. */
const MEMORY_PER_VALUE_BYTES = 100;

/**
 * Estimates the memory that a line takes once it is parsed. Reads the bytes of a
 * long line, before anything is parsed.
 *
 * @param line The line.
 * @returns The memory in bytes; infinite when the line has more values than a
 * message may have.
 */
export function estimateMemory(line: Uint8Array): number {
  const values = line.length < MIN_COUNTED_BYTES
    ? line.length / BYTES_PER_VALUE
    : countValues(line);
  return 2 * line.length + values * MEMORY_PER_VALUE_BYTES;
}

function countValues(line: Uint8Array): number {
  let values = 1;
  for (let at = 0; at < line.length; at++) {
    switch (line[at]) {
      case COMMA:
      case OPEN_BRACKET:
      case OPEN_BRACE:
        if (++values > MAX_VALUES) return Infinity;
        break;
      case QUOTE:
        at = endOfString(line, at);
        break;
    }
  }
  return values;
}

/** The position of the quote that ends a string. */
function endOfString(line: Uint8Array, begin: number): number {
  for (let end = begin;;) {
    end = line.indexOf(QUOTE, end + 1);
    if (end === -1) return line.length;
    let backslashes = 0;
    while (line[end - 1 - backslashes] === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
}
