// Cuts a stream of bytes anew, into blocks of one length, as the formats that
// compress block by block want them.

/**
 * The same bytes in blocks of one length, of which only the last is shorter.
 *
 * @param source The bytes, in pieces of any length.
 * @param length The length of a block in bytes.
 * @returns Blocks, each of which is good until the next is asked for.
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
