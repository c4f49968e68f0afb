// Reads a stream of chunks as a sequence of bytes: so many at a time.

/** Reads bytes from chunks. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  /** @param chunks The chunks, in order. */
  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /**
   * Reads what there is.
   *
   * @param maxBytes The most that it reads.
   * @returns At least one byte; undefined at the end.
   */
  async readSome(maxBytes: number): Promise<Uint8Array | undefined> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done) return undefined;
      this.#rest = value;
    }
    const part = this.#rest.subarray(0, maxBytes);
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }

  /**
   * Reads so many bytes.
   *
   * @param length How many.
   * @returns A copy of them; undefined when there is none left at all.
   * @throws {Error} When there are fewer.
   */
  async read(length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const part = await this.readSome(length - filled);
      if (part === undefined) {
        if (filled === 0) return undefined;
        throw new Error(`it ends ${length - filled} bytes too early`);
      }
      bytes.set(part, filled);
      filled += part.length;
    }
    return bytes;
  }

  /**
   * Reads a line of UTF-8.
   *
   * @returns It, without its end.
   * @throws {Error} When there is no end of a line.
   */
  async readLine(): Promise<string> {
    const decoder = new TextDecoder();
    let line = "";
    for (;;) {
      const part = await this.readSome(Infinity);
      if (part === undefined) throw new Error("it ends in a line");
      const end = part.indexOf(0x0a);
      if (end < 0) {
        line += decoder.decode(part, { stream: true });
        continue;
      }
      this.#rest = part.subarray(end + 1);
      return line + decoder.decode(part.subarray(0, end));
    }
  }

  /**
   * Passes over bytes.
   *
   * @param length How many.
   * @throws {Error} When there are fewer.
   */
  async skip(length: number): Promise<void> {
    while (length > 0) {
      const part = await this.readSome(length);
      if (part === undefined) {
        throw new Error(`it ends ${length} bytes too early`);
      }
      length -= part.length;
    }
  }
}
