// Values of every kind that the protocol carries, nested at random, the same for the same seed.

/** A source of numbers from 0 up to 1, and of choices made with them. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 up to `below`. */
  below(below: number): number {
    // The constants are those of Numerical Recipes' generator.
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor(this.#state / 2 ** 32 * below);
  }

  /** One of a list. */
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** A list of up to `most`. */
  list<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, make);
  }

  /** The same items in another order. */
  shuffled<T>(items: readonly T[]): T[] {
    const rest = [...items];
    return items.map(() => rest.splice(this.below(rest.length), 1)[0]!);
  }
}

const keys = [
  ..."abcd",
  ...["", "0", "12", "a.b", ".", "back\\slash", "\\.", "äöü 🧱", "\u2028\n"],
  ...["json", "meta", "values", "bytes", "ref", "call", "toString", "name"],
];

const texts = [
  ...["", "plain", '"quoted"\n\t\0', "</script>", "-0", "NaN", "\ufeff"],
  ...["grüße 🧱 漢字", "\u2028\u2029", "\ud800 alone", "__proto__"],
];

const numbers = [
  ...[0, -0, 1, -1, 0.1, 1e21, 1e20, 5e-324, NaN, Infinity, -Infinity],
  ...[Number.MAX_VALUE, Number.MAX_SAFE_INTEGER, -(2 ** 53), 123456.789],
];

const dates = [
  0,
  1e12,
  -1,
  253402300800000,
  8.64e15,
  -8.64e15,
  -62135596800001,
];

const arrays = [
  ...[Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array],
  ...[Uint8ClampedArray, Float32Array, Float64Array],
];

function leaf(chance: Chance): unknown {
  const makes: (() => unknown)[] = [
    () => null,
    () => undefined,
    () => chance.of([true, false]),
    () => chance.of(numbers),
    () => chance.below(2 ** 31) - 2 ** 30,
    () => chance.of(texts),
    () => BigInt(chance.below(1e6)) ** 7n * chance.of([1n, -1n]),
    () => new Date(chance.of(dates)),
    () => new Date(chance.below(2 ** 40)),
    () => chance.of([/a\/b\\c/gi, /(?:)/, /^[.*]$/su, /\p{L}/v, /"\n/y]),
    () => new URL(chance.of(["https://a.example/p?q=1#h", "file:///a%20b"])),
    () => new (chance.of(arrays))(chance.list(5, () => chance.below(100))),
    () => Uint8Array.from(chance.list(9, () => chance.below(256))),
    () => new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
  ];
  return chance.of(makes)();
}

/**
 * Makes a value.
 *
 * @param chance What it is made of.
 * @param depth How deep it may be nested.
 */
export function randomValue(chance: Chance, depth = 5): unknown {
  const inside = () => randomValue(chance, depth - 1);
  const makes: (() => unknown)[] = [
    () => leaf(chance),
    () => chance.list(4, inside),
    () => new Set(chance.list(4, inside)),
    () => new Map(chance.list(4, () => [inside(), inside()])),
    () => Object.fromEntries(chance.list(4, () => [chance.of(keys), inside()])),
  ];
  return depth === 0 ? leaf(chance) : chance.of(makes)();
}
