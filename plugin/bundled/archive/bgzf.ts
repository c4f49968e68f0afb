// Writes BGZF: gzip members that hold their own size, so that a reader can start
// in the middle. Every gunzip reads it.

import { constants, crc32, deflateRaw } from "node:zlib";
import { promisify } from "node:util";
import { fixedSizeChunks } from "./fixed_size_chunks.ts";

// A block of incompressible bytes of this size still fits into the 16 bits for its
// size.
const BLOCK_BYTES = 0xff00;
const HEADER_BYTES = 18;
const TRAILER_BYTES = 8;

const deflated = promisify<Uint8Array, object, Uint8Array>(deflateRaw);

/**
 * Compresses bytes into BGZF.
 *
 * @param source The bytes.
 * @param level The compression level, from 1 to 9; -1 for the default, -2 for Huffman coding only.
 * @returns The compressed bytes.
 */
export async function* bgzf(
  source: AsyncIterable<Uint8Array>,
  level: number,
): AsyncGenerator<Uint8Array> {
  for await (const bytes of fixedSizeChunks(source, BLOCK_BYTES)) {
    yield await block(bytes, level);
  }
  // An empty block marks the end of a complete file.
  yield await block(new Uint8Array(0), level);
}

async function block(bytes: Uint8Array, level: number): Promise<Uint8Array> {
  const content = await deflated(bytes, gzipOptions(level));
  const block = new Uint8Array(HEADER_BYTES + content.length + TRAILER_BYTES);
  const view = new DataView(block.buffer);
  // A gzip header with one extra field: "BC", of two bytes, the size of the block
  // minus one.
  block.set([31, 139, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0, 66, 67, 2, 0]);
  view.setUint16(16, block.length - 1, true);
  block.set(content, HEADER_BYTES);
  view.setUint32(HEADER_BYTES + content.length, crc32(bytes), true);
  view.setUint32(HEADER_BYTES + content.length + 4, bytes.length, true);
  return block;
}

/**
 * zlib's options for one of Packer's compression levels.
 *
 * @param level From 1 to 9; -1 for the default, -2 for Huffman coding only.
 * @returns Options for `createGzip` and the like.
 */
export function gzipOptions(
  level: number,
): { level: number; strategy?: number } {
  return level === -2
    ? { level: 9, strategy: constants.Z_HUFFMAN_ONLY }
    : { level };
}
