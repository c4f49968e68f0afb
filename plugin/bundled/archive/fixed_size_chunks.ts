// Splits a stream of bytes into chunks of one size, for formats that compress
// block by block.

/**
 * Splits bytes into chunks of one size; only the last can be smaller.
 *
 * @param source The bytes, in chunks of any size.
 * @param length The size of a chunk in bytes.
 * @returns Chunks. Each is valid until the next one is read.
 */
export async function* fixedSizeChunks(
  source: AsyncIterable<Uint8Array>,
  length: number,
): AsyncGenerator<Uint8Array> {
  const block = new Uint8Array(length);
  let filled = 0;
  for await (let bytes of source) {
    while (bytes.length > 0) {
      const part = bytes.subarray(0, length - filled);
      block.set(part, filled);
      filled += part.length;
      bytes = bytes.subarray(part.length);
      if (filled < length) break;
      yield block;
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}
