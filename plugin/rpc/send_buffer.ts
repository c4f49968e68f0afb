// The send buffer: messages that are sent in one turn of the event loop are written
// together, from memory that is reused. Each write wakes the peer, and allocating
// memory costs more than filling it.

import type { Transport } from "./transport.ts";

/** The smallest buffer, in bytes. */
const MIN_BUFFER_BYTES = 16 * 1024;

/** How much is written at once, in bytes, so that the peer reads while the rest is copied. */
const FLUSH_BYTES = 256 * 1024;

/** The most buffers that are kept for reuse. */
const MAX_POOLED_BUFFERS = 8;

/** The largest buffer that is kept for reuse, in bytes. */
const MAX_POOLED_BUFFER_BYTES = 2 * 1024 * 1024;

const encoder = new TextEncoder();

/** Its reactions run at the end of the turn; `queueMicrotask` takes several times as long. */
const RESOLVED = Promise.resolve();

const NO_BUFFER = new Uint8Array(0);

/** Messages on their way to the peer. */
export class SendBuffer {
  readonly #transport: Transport;
  readonly #prefix: string;
  /** Lines that are not in the buffer yet: they are encoded together. */
  #text = "";
  #buffer: Uint8Array = NO_BUFFER;
  #length = 0;
  #isScheduled = false;
  readonly #scheduledFlush = () => this.flush();
  readonly #pool: Uint8Array[] = [];
  #unsentBytes = 0;

  /**
   * @param transport What is written to.
   * @param prefix The text in front of the messages of one turn.
   */
  constructor(transport: Transport, prefix = "") {
    this.#transport = transport;
    this.#prefix = prefix;
  }

  /** How many bytes are written that the peer has not read. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** Whether all that was sent has been given to the transport. */
  get isEmpty(): boolean {
    return !this.#isScheduled;
  }

  /**
   * Sends a message at the end of this turn.
   *
   * @param line Its line, without the end.
   * @param bytes The raw bytes behind it, which are copied.
   */
  send(line: string, bytes: readonly Uint8Array[]): void {
    this.#addLine(line);
    if (this.#text.length >= FLUSH_BYTES) {
      this.#encodeText(0);
      this.#writeBuffer();
    }
    if (bytes.length === 0) return;
    let length = 0;
    for (const part of bytes) length += part.length;
    this.#encodeText(Math.min(length, FLUSH_BYTES));
    for (const part of bytes) this.#addBytes(part);
  }

  /** Writes what has been sent. */
  flush(): void {
    if (!this.#isScheduled) return;
    this.#isScheduled = false;
    this.#encodeText(0);
    this.#writeBuffer();
  }

  /**
   * Counts bytes as unsent until they are written.
   *
   * @param length How many bytes.
   * @param written A promise of the end of the write.
   * @param onWritten Called when they are written.
   */
  track(length: number, written: Promise<void>, onWritten?: () => void): void {
    this.#unsentBytes += length;
    written.then(() => {
      this.#unsentBytes -= length;
      onWritten?.();
    }, () => {
      // The peer has exited, and reads nothing any more.
      this.#unsentBytes -= length;
    });
  }

  #addLine(line: string): void {
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      this.#text = this.#prefix;
      void RESOLVED.then(this.#scheduledFlush);
    }
    this.#text += line;
    this.#text += "\n";
  }

  #writeBuffer(): void {
    const buffer = this.#buffer;
    const length = this.#length;
    if (length === 0) return;
    this.#length = 0;
    const written = this.#transport.write(buffer.subarray(0, length));
    if (written === undefined && buffer.length <= MAX_POOLED_BUFFER_BYTES) {
      return;
    }
    this.#buffer = NO_BUFFER;
    if (written === undefined) return;
    this.track(length, written, () => this.#recycle(buffer));
  }

  /** Encodes the text into the buffer, and makes room for more bytes behind it. */
  #encodeText(more: number): void {
    const text = this.#text;
    this.#text = "";
    // One byte a character is enough for ASCII; three are for any text.
    this.#makeRoom(text.length + more);
    const encoded = this.#encode(text);
    if (encoded < text.length) {
      const rest = text.slice(encoded);
      this.#makeRoom(3 * rest.length);
      this.#encode(rest);
    }
    this.#makeRoom(more);
  }

  /** Encodes as much of a text as there is room for, and returns how many characters. */
  #encode(text: string): number {
    const { read, written } = encoder.encodeInto(
      text,
      this.#buffer.subarray(this.#length),
    );
    this.#length += written;
    return read;
  }

  /** Adds bytes. Many are written in pieces, while the rest is copied. */
  #addBytes(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + FLUSH_BYTES);
      at += part.length;
      this.#makeRoom(part.length);
      this.#buffer.set(part, this.#length);
      this.#length += part.length;
      if (this.#length >= FLUSH_BYTES) this.#writeBuffer();
    }
  }

  #makeRoom(more: number): void {
    const length = this.#length + more;
    if (length <= this.#buffer.length) return;
    const old = this.#buffer;
    const pooled = this.#pool.findIndex((buffer) => buffer.length >= length);
    this.#buffer = pooled >= 0
      ? this.#pool.splice(pooled, 1)[0]!
      : new Uint8Array(Math.max(MIN_BUFFER_BYTES, length, 2 * old.length));
    this.#buffer.set(old.subarray(0, this.#length));
    this.#recycle(old);
  }

  #recycle(buffer: Uint8Array): void {
    if (buffer.length === 0 || buffer.length > MAX_POOLED_BUFFER_BYTES) return;
    this.#pool.push(buffer);
    if (this.#pool.length > MAX_POOLED_BUFFERS) {
      // The smallest is the least useful.
      this.#pool.sort((one, other) => other.length - one.length).pop();
    }
  }
}
