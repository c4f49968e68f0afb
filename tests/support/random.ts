// Reproducible random numbers: the same seed yields the same sequence.

/** A seeded generator of pseudo-random numbers. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 up to but not including `limit`. */
  below(limit: number): number {
    // A Weyl sequence, mixed by two rounds of multiply and xor-shift.
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % limit;
  }

  /** True with a probability of 1 in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  /** A random item of a list. */
  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}
