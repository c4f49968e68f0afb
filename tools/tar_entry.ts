// Extracts one file from a gzipped tarball, as a stream.

/**
 * Yields the content of a file in a tarball.
 *
 * What precedes the file is skipped, and what follows it is not read, so that little memory is used
 * however large the tarball is. Long names (PAX, GNU) are not supported.
 *
 * @param tarball The gzipped tarball.
 * @param name The file's path in the tarball, at most 100 bytes.
 * @throws {Error} While iterating, when there is no such file or the tarball ends within it.
 */
export async function* tarEntry(
  tarball: ReadableStream<Uint8Array<ArrayBuffer>>,
  name: string,
): AsyncGenerator<Uint8Array> {
  const blocks = new Bytes(
    tarball.pipeThrough(new DecompressionStream("gzip")),
  );
  try {
    for (;;) {
      const header = await blocks.exactly(512);
      if (header === undefined || header[0] === 0) {
        throw new Error(`there is no file ${name} in the tarball`);
      }
      const size = parseInt(text(header, 124, 12), 8);
      if (!Number.isSafeInteger(size)) {
        throw new Error("not a tarball: a header has no size");
      }
      const wanted = text(header, 0, 100) === name;
      let left = size;
      while (left > 0) {
        const part = await blocks.atMost(left);
        if (part === undefined) {
          throw new Error(
            `the tarball ends ${left} bytes before the end of a file`,
          );
        }
        left -= part.length;
        if (wanted) yield part;
      }
      if (wanted) return;
      await blocks.exactly((512 - size % 512) % 512);
    }
  } finally {
    await blocks.cancel();
  }
}

/** Reads a stream of chunks in the lengths that a format requires. */
class Bytes {
  #reader: ReadableStreamDefaultReader<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  async atMost(length: number): Promise<Uint8Array | undefined> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#rest = value;
    }
    const part = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }

  async exactly(length: number): Promise<Uint8Array | undefined> {
    const whole = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const part = await this.atMost(length - filled);
      if (part === undefined) return undefined;
      whole.set(part, filled);
      filled += part.length;
    }
    return whole;
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

function text(header: Uint8Array, start: number, length: number): string {
  return new TextDecoder().decode(header.subarray(start, start + length))
    .replace(/\0.*$/s, "");
}
