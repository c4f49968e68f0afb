// A stream of a yamux session: bytes in both directions, each with a window
// and an end of its own.

import { ConnectionClosedError, ProtocolError } from "../rpc/protocol.ts";
import { Flag, FrameType, INITIAL_WINDOW_BYTES } from "./yamux_frame.ts";

/** What a stream needs of its session. */
export interface SessionOfStream {
  /** Sends a frame without a body. */
  sendControl(type: number, flags: number, id: number, length: number): void;
  /** Sends a data frame; `onSent` is called when the connection has taken it, or with the reason why not. */
  sendData(
    id: number,
    body: Uint8Array,
    onSent: (error?: Error) => void,
  ): void;
  /** Counts received bytes that are unread; throws when they are too many. */
  addUnread(change: number): void;
  /** Called when both directions of the stream have ended. */
  forget(id: number): void;
}

/** The longest body of a frame that is sent. */
const MAX_FRAME_BYTES = 64 * 1024;

/** How many bytes of one stream may wait for the connection. */
const MAX_UNSENT_BYTES = 256 * 1024;

/** A window update is sent when this much was read: half a window, as in Go. */
const WINDOW_UPDATE_BYTES = INITIAL_WINDOW_BYTES / 2;

/** A chunk up to this length is copied behind the one before it. */
const SMALL_CHUNK_BYTES = 4 * 1024;

/** The largest window that the other side can give. */
const MAX_WINDOW_BYTES = 2 ** 32 - 1;

/** Bytes that wait for the other side's window. */
interface PendingWrite {
  bytes: Uint8Array;
  resolve: () => void;
  reject: (reason: Error) => void;
}

/** One stream of a session. */
export class YamuxStream {
  /** Its number in the session. */
  readonly id: number;
  readonly #session: SessionOfStream;

  /** Received chunks; the last one has `#tailLength` bytes in use. */
  readonly #chunks: Uint8Array[] = [];
  #tailLength = 0;
  #receiveWindow = INITIAL_WINDOW_BYTES;
  #readSinceUpdate = 0;
  #reader: PendingRead | undefined;

  readonly #writes: PendingWrite[] = [];
  #sendWindow = INITIAL_WINDOW_BYTES;
  /** How many bytes the session has that the connection has not taken yet. */
  #unsentBytes = 0;
  #isEnding = false;
  #isFinSent = false;
  #isFinReceived = false;
  #error: Error | undefined;

  /** Called by the session. */
  constructor(id: number, session: SessionOfStream) {
    this.id = id;
    this.#session = session;
  }

  /**
   * Reads the next bytes.
   *
   * @returns At least one byte; null when the other side has ended its direction.
   * @throws {Error} When the stream was reset or the session has ended.
   */
  read(): Promise<Uint8Array | null> {
    const chunk = this.#takeChunk();
    if (chunk !== undefined) return Promise.resolve(chunk);
    if (this.#isFinReceived) return Promise.resolve(null);
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#reader !== undefined) {
      return Promise.reject(new TypeError("the stream is being read already"));
    }
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  /**
   * Reads a number of bytes.
   *
   * @throws {ConnectionClosedError} When the other side's direction ends before.
   */
  async readExactly(count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count);
    for (let length = 0; length < count;) {
      const chunk = await this.read();
      if (chunk === null) {
        throw new ConnectionClosedError(
          `the stream ended after ${length} of ${count} bytes`,
        );
      }
      const piece = chunk.subarray(0, count - length);
      bytes.set(piece, length);
      length += piece.length;
      if (piece.length < chunk.length) {
        this.#unread(chunk.subarray(piece.length));
      }
    }
    return bytes;
  }

  /**
   * Writes bytes, in the order of the calls.
   *
   * @param bytes The bytes; they must not change until the promise resolves.
   * @returns Resolves when the connection has taken them.
   * @throws {Error} When the stream was reset, this direction was ended, or the session has ended.
   */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#isEnding) {
      return Promise.reject(
        new ConnectionClosedError("this direction of the stream has ended"),
      );
    }
    if (bytes.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#writes.push({ bytes, resolve, reject });
      this.#send();
    });
  }

  /** Ends this direction, once all that was written is sent. The other one stays open. */
  end(): void {
    if (this.#isEnding || this.#error !== undefined) return;
    this.#isEnding = true;
    this.#send();
  }

  /**
   * Ends both directions at once; what was not read or sent yet is lost. Call
   * it when the rest is not read: unread bytes count against a limit.
   */
  reset(): void {
    this.#dropChunks();
    if (this.#error !== undefined || this.#isDone) return;
    this.#session.sendControl(FrameType.WindowUpdate, Flag.Rst, this.id, 0);
    this.#session.forget(this.id);
    this.fail(new ConnectionClosedError("this side reset the stream"));
  }

  get #isDone(): boolean {
    return this.#isFinSent && this.#isFinReceived;
  }

  #takeChunk(): Uint8Array | undefined {
    let chunk = this.#chunks.shift();
    if (chunk === undefined) return undefined;
    if (this.#chunks.length === 0) chunk = chunk.subarray(0, this.#tailLength);
    this.#session.addUnread(-chunk.length);
    this.#countRead(chunk.length);
    return chunk;
  }

  #dropChunks(): void {
    for (const [index, chunk] of this.#chunks.entries()) {
      const isTail = index === this.#chunks.length - 1;
      this.#session.addUnread(-(isTail ? this.#tailLength : chunk.length));
    }
    this.#chunks.length = 0;
  }

  /** Puts back the rest of the chunk that was read last. */
  #unread(chunk: Uint8Array): void {
    this.#session.addUnread(chunk.length);
    this.#countRead(-chunk.length);
    if (this.#chunks.length === 0) this.#tailLength = chunk.length;
    this.#chunks.unshift(chunk);
  }

  #countRead(count: number): void {
    this.#readSinceUpdate += count;
    if (this.#readSinceUpdate < WINDOW_UPDATE_BYTES || this.#isFinReceived) {
      return;
    }
    this.#receiveWindow += this.#readSinceUpdate;
    const { WindowUpdate } = FrameType;
    this.#session.sendControl(WindowUpdate, 0, this.id, this.#readSinceUpdate);
    this.#readSinceUpdate = 0;
  }

  /** Hands the session as much as the window and the bound on unsent bytes allow. */
  #send(): void {
    while (this.#error === undefined) {
      const write = this.#writes[0];
      if (write === undefined) {
        if (this.#isEnding) this.#sendFin();
        return;
      }
      const length = Math.min(
        write.bytes.length,
        this.#sendWindow,
        MAX_FRAME_BYTES,
        MAX_UNSENT_BYTES - this.#unsentBytes,
      );
      if (length <= 0) return;
      const body = write.bytes.subarray(0, length);
      write.bytes = write.bytes.subarray(length);
      this.#sendWindow -= length;
      this.#unsentBytes += length;
      const isLast = write.bytes.length === 0;
      if (isLast) this.#writes.shift();
      this.#session.sendData(this.id, body, (error) => {
        this.#unsentBytes -= length;
        if (error !== undefined) write.reject(error);
        else if (isLast) write.resolve();
        this.#send();
      });
    }
  }

  /** A second FIN ends the session of a Go peer, so it is sent once. */
  #sendFin(): void {
    if (this.#isFinSent) return;
    this.#isFinSent = true;
    this.#session.sendControl(FrameType.WindowUpdate, Flag.Fin, this.id, 0);
    if (this.#isDone) this.#session.forget(this.id);
  }

  /** Called by the session before a body comes, with its length. */
  reserve(length: number): void {
    if (this.#isFinReceived) {
      throw new ProtocolError(
        `data on yamux stream ${this.id} after its end`,
      );
    }
    if (length > this.#receiveWindow) {
      throw new ProtocolError(
        `${length} bytes on yamux stream ${this.id}, whose window has ${this.#receiveWindow}`,
      );
    }
    this.#receiveWindow -= length;
  }

  /** Called by the session with bytes of a body; they are copied. */
  receive(bytes: Uint8Array): void {
    if (this.#error !== undefined) return;
    if (this.#reader !== undefined) {
      const { resolve } = this.#takeReader();
      this.#countRead(bytes.length);
      resolve(bytes.slice());
      return;
    }
    this.#session.addUnread(bytes.length);
    const tail = this.#chunks.at(-1);
    const length = this.#tailLength + bytes.length;
    if (
      tail === undefined || bytes.length > SMALL_CHUNK_BYTES ||
      this.#tailLength > SMALL_CHUNK_BYTES
    ) {
      if (tail !== undefined) {
        this.#chunks[this.#chunks.length - 1] = tail.subarray(
          0,
          this.#tailLength,
        );
      }
      this.#chunks.push(bytes.slice());
      this.#tailLength = bytes.length;
      return;
    }
    if (length > tail.length) {
      const grown = new Uint8Array(2 * length);
      grown.set(tail.subarray(0, this.#tailLength));
      this.#chunks[this.#chunks.length - 1] = grown;
    }
    this.#chunks.at(-1)!.set(bytes, this.#tailLength);
    this.#tailLength = length;
  }

  /** Called by the session when the window of the other side has grown. */
  receiveWindow(increase: number): void {
    this.#sendWindow += increase;
    if (this.#sendWindow > MAX_WINDOW_BYTES) {
      throw new ProtocolError(
        `the window of yamux stream ${this.id} is larger than 4 GiB`,
      );
    }
    this.#send();
  }

  /** Called by the session when the other side has ended its direction. */
  receiveEnd(): void {
    if (this.#isFinReceived) {
      throw new ProtocolError(`second end of yamux stream ${this.id}`);
    }
    this.#isFinReceived = true;
    if (this.#isDone) this.#session.forget(this.id);
    this.#takeReader().resolve(null);
  }

  /** Called by the session when the other side has reset the stream. */
  receiveReset(): void {
    // Go resets streams whose other direction stays open for too long: what
    // came before an end is still there to be read.
    if (!this.#isFinReceived) this.#dropChunks();
    this.#session.forget(this.id);
    this.fail(new ConnectionClosedError("the other side reset the stream"));
  }

  /** Called by the session when the stream cannot go on. */
  fail(reason: Error): void {
    if (this.#error !== undefined) return;
    this.#error = reason;
    this.#takeReader().reject(reason);
    for (const write of this.#writes.splice(0)) write.reject(reason);
  }

  #takeReader(): PendingRead {
    const reader = this.#reader ?? NO_READER;
    this.#reader = undefined;
    return reader;
  }
}

/** Who waits for the next bytes. */
interface PendingRead {
  resolve: (chunk: Uint8Array | null) => void;
  reject: (reason: Error) => void;
}

const NO_READER: PendingRead = { resolve() {}, reject() {} };
