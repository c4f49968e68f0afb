// XXH32, the checksum of LZ4's frames.

const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;
const STRIPE_BYTES = 16;

/** Computes XXH32 with seed 0, incrementally. */
export class Xxh32 {
  #lanes = new Uint32Array([PRIME_1 + PRIME_2, PRIME_2, 0, -PRIME_1]);
  #rest = new Uint8Array(STRIPE_BYTES);
  #restLength = 0;
  #length = 0;

  /**
   * Adds bytes.
   *
   * @param bytes The bytes.
   */
  update(bytes: Uint8Array): void {
    this.#length += bytes.length;
    let at = 0;
    if (this.#restLength > 0) {
      const part = bytes.subarray(0, STRIPE_BYTES - this.#restLength);
      this.#rest.set(part, this.#restLength);
      this.#restLength += part.length;
      at = part.length;
      if (this.#restLength < STRIPE_BYTES) return;
      this.#stripes(this.#rest, 0, STRIPE_BYTES);
    }
    const end = at +
      Math.floor((bytes.length - at) / STRIPE_BYTES) * STRIPE_BYTES;
    this.#stripes(bytes, at, end);
    this.#rest.set(bytes.subarray(end));
    this.#restLength = bytes.length - end;
  }

  /** The checksum of the bytes that were added. */
  digest(): number {
    const [a, b, c, d] = this.#lanes as unknown as [
      number,
      number,
      number,
      number,
    ];
    let hash = this.#length < STRIPE_BYTES
      ? PRIME_5
      : rotated(a, 1) + rotated(b, 7) + rotated(c, 12) + rotated(d, 18);
    hash = (hash + this.#length) | 0;
    let at = 0;
    for (; at + 4 <= this.#restLength; at += 4) {
      hash += Math.imul(word(this.#rest, at), PRIME_3);
      hash = Math.imul(rotated(hash, 17), PRIME_4);
    }
    for (; at < this.#restLength; at++) {
      hash += Math.imul(this.#rest[at]!, PRIME_5);
      hash = Math.imul(rotated(hash, 11), PRIME_1);
    }
    hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
    hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  #stripes(bytes: Uint8Array, from: number, to: number): void {
    let [a, b, c, d] = this.#lanes as unknown as [
      number,
      number,
      number,
      number,
    ];
    for (let at = from; at < to; at += STRIPE_BYTES) {
      a = round(a, word(bytes, at));
      b = round(b, word(bytes, at + 4));
      c = round(c, word(bytes, at + 8));
      d = round(d, word(bytes, at + 12));
    }
    this.#lanes.set([a, b, c, d]);
  }
}

/**
 * Computes XXH32 with seed 0.
 *
 * @param bytes The bytes.
 */
export function xxh32(bytes: Uint8Array): number {
  const hash = new Xxh32();
  hash.update(bytes);
  return hash.digest();
}

function round(lane: number, input: number): number {
  return Math.imul(rotated(lane + Math.imul(input, PRIME_2), 13), PRIME_1);
}

function rotated(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) |
    (bytes[at + 3]! << 24);
}
