// The outbox: what is sent in one turn goes out in one write, from memory that
// is used again. Each write wakes the other side, and fresh memory costs more
// than what is done with it.

import type { SpliceBuffer } from "./payload/spliced_payload.ts";

/**
 * Writes to the other side.
 *
 * @param bytes What to write; it may be used again when the write is done.
 * @returns Nothing where it is done already, or a promise of it.
 */
export type Write = (bytes: Uint8Array) => void | Promise<void>;

/** Sends what has come past this process's memory, behind all that was written. */
export type SpliceWrite = (bypass: SpliceBuffer) => Promise<void>;

const SMALLEST = 16 * 1024;

/**
 * What is as much, in bytes, is written at once: the other side takes it while
 * the rest is copied.
 */
const FLUSH_BYTES = 256 * 1024;

/** How many pieces of memory are kept, and up to which size in bytes. */
const MAX_POOLED = 8;
const LARGEST_KEPT = 2 * 1024 * 1024;

const encoder = new TextEncoder();
/** Whose reactions run at the end of the turn; `queueMicrotask` takes several times as long. */
const NOW = Promise.resolve();

const NOTHING = new Uint8Array(0);

/** Messages on their way out. */
export class SendBuffer {
  readonly #write: Write;
  readonly #prefix: string;
  readonly #pour: SpliceWrite | undefined;
  /** Lines that are not in the buffer yet: they are encoded together. */
  #text = "";
  #buffer: Uint8Array = NOTHING;
  #length = 0;
  #isDue = false;
  readonly #flushDue = () => this.flush();
  readonly #free: Uint8Array[] = [];
  #waiting = 0;

  /**
   * @param write Writes to the other side.
   * @param prefix What each turn's writes begin with.
   * @param pour Sends what is given to {@linkcode SendBuffer.sendSpliced}.
   */
  constructor(write: Write, prefix: string, pour?: SpliceWrite) {
    this.#write = write;
    this.#prefix = prefix;
    this.#pour = pour;
  }

  /** How many bytes the other side has not taken yet. */
  get unsentBytes(): number {
    return this.#waiting;
  }

  /** Whether all that was sent has been written, or is being. */
  get isEmpty(): boolean {
    return !this.#isDue;
  }

  /**
   * Sends a message, at the end of this turn.
   *
   * @param line Its line, without the end.
   * @param bytes The raw bytes behind it, which are copied.
   */
  send(line: string, bytes: readonly Uint8Array[]): void {
    this.#addLine(line);
    if (this.#text.length >= FLUSH_BYTES) {
      this.#addText(0);
      this.#writeBuffer();
    }
    if (bytes.length === 0) return;
    let length = 0;
    for (const part of bytes) length += part.length;
    this.#addText(Math.min(length, FLUSH_BYTES));
    for (const part of bytes) this.#addBytes(part);
  }

  /**
   * Sends a message whose bytes have come past this process's memory, at once.
   *
   * @param line Its line, without the end.
   * @param bypass The raw bytes behind it.
   */
  sendSpliced(line: string, bypass: SpliceBuffer): void {
    this.#addLine(line);
    this.#addText(0);
    this.#writeBuffer();
    const { length } = bypass;
    this.#waiting += length;
    const poured = () => {
      this.#waiting -= length;
    };
    this.#pour!(bypass).then(poured, poured);
  }

  /** Writes what there is. */
  flush(): void {
    if (!this.#isDue) return;
    this.#isDue = false;
    this.#addText(0);
    this.#writeBuffer();
  }

  #addLine(line: string): void {
    if (!this.#isDue) {
      this.#isDue = true;
      this.#text = this.#prefix;
      void NOW.then(this.#flushDue);
    }
    this.#text += line;
    this.#text += "\n";
  }

  #writeBuffer(): void {
    const buffer = this.#buffer;
    const length = this.#length;
    if (length === 0) return;
    this.#length = 0;
    const written = this.#write(buffer.subarray(0, length));
    if (written === undefined && buffer.length <= LARGEST_KEPT) return;
    this.#buffer = NOTHING;
    if (written === undefined) return;
    this.#waiting += length;
    written.then(() => {
      this.#waiting -= length;
      this.#keep(buffer);
    }, () => {});
  }

  /** Moves the text into the buffer, where there is room for so many bytes more. */
  #addText(more: number): void {
    const text = this.#text;
    this.#text = "";
    // A byte a character; where there are others, room is made for the most.
    this.#makeRoom(text.length + more);
    const done = this.#encode(text);
    if (done < text.length) {
      const rest = text.slice(done);
      this.#makeRoom(3 * rest.length);
      this.#encode(rest);
    }
    this.#makeRoom(more);
  }

  /** Adds what there is room for of a text, and says how much that is. */
  #encode(text: string): number {
    const { read, written } = encoder.encodeInto(
      text,
      this.#buffer.subarray(this.#length),
    );
    this.#length += written;
    return read;
  }

  /** Adds bytes; what is much goes out in pieces, while the rest is copied. */
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
    const free = this.#free.findIndex((buffer) => buffer.length >= length);
    this.#buffer = free >= 0
      ? this.#free.splice(free, 1)[0]!
      : new Uint8Array(Math.max(SMALLEST, length, 2 * old.length));
    this.#buffer.set(old.subarray(0, this.#length));
    this.#keep(old);
  }

  #keep(buffer: Uint8Array): void {
    if (buffer.length === 0 || buffer.length > LARGEST_KEPT) return;
    this.#free.push(buffer);
    // The smallest is the least use.
    if (this.#free.length > MAX_POOLED) {
      this.#free.sort((one, other) => other.length - one.length).pop();
    }
  }
}
