// Compressed archives: what is read is recognised by its first bytes.

import { Readable } from "node:stream";
import { createGunzip, createGzip } from "node:zlib";
import { filter } from "../../process/byte_streams.ts";

/** The first bytes of each format, and the program that unpacks it. */
const FORMATS: readonly { start: readonly number[]; program?: string }[] = [
  { start: [0x1f, 0x8b] },
  { start: [0x28, 0xb5, 0x2f, 0xfd], program: "zstd" },
  { start: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], program: "xz" },
  { start: [0x42, 0x5a, 0x68], program: "bzip2" },
  { start: [0x04, 0x22, 0x4d, 0x18], program: "lz4" },
];

const LONGEST_START = Math.max(...FORMATS.map(({ start }) => start.length));

/**
 * Unpacks gzip by itself; zstd, xz, bzip2 and lz4 by the programs of these names.
 *
 * @param source The bytes; such as are not compressed stay as they are.
 * @param signal Stops when aborted.
 * @throws {Error} When they are damaged, or the program is not installed.
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]();
  let first = new Uint8Array();
  while (first.length < LONGEST_START) {
    const { done, value } = await chunks.next();
    if (done) break;
    const joined = new Uint8Array(first.length + value.length);
    joined.set(first);
    joined.set(value, first.length);
    first = joined;
  }
  const all = (async function* () {
    yield first;
    yield* { [Symbol.asyncIterator]: () => chunks };
  })();
  const format = FORMATS.find(({ start }) =>
    start.every((byte, at) => first[at] === byte)
  );
  if (format === undefined) yield* all;
  else if (format.program === undefined) yield* through(all, createGunzip());
  else yield* filter([format.program, "-dc"], all, { signal });
}

/**
 * Compresses with gzip: the same bytes always become the same bytes.
 *
 * @param source The bytes.
 */
export function gzip(
  source: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  return through(source, createGzip());
}

/**
 * Compresses with the program zstd: the same bytes always become the same bytes,
 * with one version of it.
 *
 * @param source The bytes.
 * @param signal Stops when aborted.
 * @throws {Error} When the program is not installed.
 */
export function zstd(
  source: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): AsyncIterable<Uint8Array> {
  return filter(["zstd", "-q", "-c"], source, { signal });
}

async function* through(
  source: AsyncIterable<Uint8Array>,
  codec: ReturnType<typeof createGunzip> | ReturnType<typeof createGzip>,
): AsyncGenerator<Uint8Array> {
  const input = Readable.from(source);
  input.on("error", (error: Error) => codec.destroy(error));
  input.pipe(codec);
  try {
    for await (const chunk of codec) yield chunk as Uint8Array;
  } finally {
    input.destroy();
    codec.destroy();
  }
}
