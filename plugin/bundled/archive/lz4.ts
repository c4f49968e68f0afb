// Writes LZ4's frame format after its specification. Of npm's libraries, those in
// plain JavaScript end blocks in a way that the specification forbids, and the
// others contain machine code.

import { fixedSizeChunks } from "./fixed_size_chunks.ts";
import { Xxh32, xxh32 } from "./xxh32.ts";

const BLOCK_BYTES = 4 * 1024 * 1024;
const MAGIC = 0x184d2204;
// Version 1, independent blocks of up to 4 MiB, a checksum of the content.
const DESCRIPTOR = [0b0110_0100, 0b0111_0000];
const STORED = 0x8000_0000;

const HASH_BITS = 16;
const MAX_LOOP_BYTES = 32;
const MIN_MATCH_BYTES = 4;
const MAX_DISTANCE_BYTES = 0xffff;
// The end of a block by the specification: the last 5 bytes are literals, and no
// match begins in the last 12.
const LAST_LITERAL_BYTES = 5;
const MATCH_FREE_BYTES = 12;

/**
 * Compresses bytes into an LZ4 frame.
 *
 * @param source The bytes.
 * @returns The frame's bytes.
 */
export async function* lz4(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const descriptor = new Uint8Array(DESCRIPTOR);
  yield words(MAGIC);
  yield new Uint8Array([...descriptor, (xxh32(descriptor) >>> 8) & 0xff]);
  const checksum = new Xxh32();
  const positions = new Int32Array(1 << HASH_BITS);
  for await (const block of fixedSizeChunks(source, BLOCK_BYTES)) {
    checksum.update(block);
    const compressed = compressedBlock(block, positions);
    if (compressed === undefined) {
      yield words((STORED | block.length) >>> 0);
      yield block.slice();
    } else {
      yield words(compressed.length);
      yield compressed;
    }
  }
  yield words(0, checksum.digest());
}

function words(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => view.setUint32(index * 4, value, true));
  return bytes;
}

/** Returns undefined where the block would not become smaller. */
function compressedBlock(
  input: Uint8Array,
  positions: Int32Array,
): Uint8Array | undefined {
  const output = new Uint8Array(input.length + input.length / 255 + 16);
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  positions.fill(-1);
  let written = 0;
  let literalsFrom = 0;

  const lengthBytes = (length: number) => {
    for (; length >= 255; length -= 255) output[written++] = 255;
    output[written++] = length;
  };
  const sequence = (at: number, distance: number, matchLength: number) => {
    const literals = at - literalsFrom;
    const extra = distance === 0 ? 0 : matchLength - MIN_MATCH_BYTES;
    output[written++] = (Math.min(literals, 15) << 4) | Math.min(extra, 15);
    if (literals >= 15) lengthBytes(literals - 15);
    // Most are short: to copy them here is faster than to make a view of them.
    if (literals > MAX_LOOP_BYTES) {
      output.set(input.subarray(literalsFrom, at), written);
      written += literals;
    } else {
      for (let from = literalsFrom; from < at; from++) {
        output[written++] = input[from]!;
      }
    }
    if (distance === 0) return;
    output[written++] = distance & 0xff;
    output[written++] = distance >>> 8;
    if (extra >= 15) lengthBytes(extra - 15);
  };

  const matchEnd = input.length - LAST_LITERAL_BYTES;
  const lastStart = input.length - MATCH_FREE_BYTES;
  let misses = 0;
  for (let at = 0; at <= lastStart;) {
    const bytes = view.getUint32(at, true);
    const hash = Math.imul(bytes, 0x9e3779b1) >>> (32 - HASH_BITS);
    const candidate = positions[hash]!;
    positions[hash] = at;
    if (
      candidate < 0 || at - candidate > MAX_DISTANCE_BYTES ||
      view.getUint32(candidate, true) !== bytes
    ) {
      // Incompressible input: look for matches ever more rarely.
      at += 1 + (misses++ >>> 6);
      continue;
    }
    misses = 0;
    let length = MIN_MATCH_BYTES;
    while (
      at + length < matchEnd && input[candidate + length] === input[at + length]
    ) {
      length++;
    }
    sequence(at, at - candidate, length);
    at += length;
    literalsFrom = at;
  }
  sequence(input.length, 0, 0);
  return written < input.length ? output.subarray(0, written) : undefined;
}
