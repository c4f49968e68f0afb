// BGZF is gzip in blocks that say how long they are, so that a reader can
// begin in the middle; any gunzip reads it too.

import { constants, crc32, deflateRaw } from "node:zlib";
import { promisify } from "node:util";
import { fixedSizeChunks } from "./fixed_size_chunks.ts";

// What a block holds at most, so that even incompressible bytes leave its
// length within the 16 bits that there are for it.
const BLOCK = 0xff00;
const HEADER = 18;
const TRAILER = 8;

const deflated = promisify<Uint8Array, object, Uint8Array>(deflateRaw);

/**
 * Compresses bytes into BGZF.
 *
 * @param source The bytes.
 * @param level How hard it tries, from 1 to 9; -1 for the usual, -2 for Huffman's coding alone.
 * @returns The compressed bytes.
 */
export async function* bgzf(
  source: AsyncIterable<Uint8Array>,
  level: number,
): AsyncGenerator<Uint8Array> {
  for await (const bytes of fixedSizeChunks(source, BLOCK)) {
    yield await block(bytes, level);
  }
  // An empty block marks a file that has its end.
  yield await block(new Uint8Array(0), level);
}

async function block(bytes: Uint8Array, level: number): Promise<Uint8Array> {
  const content = await deflated(bytes, gzipOptions(level));
  const block = new Uint8Array(HEADER + content.length + TRAILER);
  const view = new DataView(block.buffer);
  // The header of gzip with one extra field: "BC", two bytes long, which is
  // the length of the block less one.
  block.set([31, 139, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0, 66, 67, 2, 0]);
  view.setUint16(16, block.length - 1, true);
  block.set(content, HEADER);
  view.setUint32(HEADER + content.length, crc32(bytes), true);
  view.setUint32(HEADER + content.length + 4, bytes.length, true);
  return block;
}

/**
 * What zlib is told for a level as Packer counts them.
 *
 * @param level From 1 to 9; -1 for the usual, -2 for Huffman's coding alone.
 * @returns Options for `createGzip` and its kin.
 */
export function gzipOptions(
  level: number,
): { level: number; strategy?: number } {
  return level === -2
    ? { level: 9, strategy: constants.Z_HUFFMAN_ONLY }
    : { level };
}
