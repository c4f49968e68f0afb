// A yamux session carries many streams over one connection. The frames and
// rules are those of github.com/hashicorp/yamux v0.1.

import { ConnectionClosedError, ProtocolError } from "../rpc/protocol.ts";
import { DEFAULT_WIRE_LIMITS, type WireLimits } from "./limits.ts";
import { type SessionOfStream, YamuxStream } from "./yamux_stream.ts";
import {
  encodeHeader,
  Flag,
  FrameType,
  GoAwayCode,
  HEADER_BYTES,
  INITIAL_WINDOW_BYTES,
  VERSION,
} from "./yamux_frame.ts";

export { YamuxStream } from "./yamux_stream.ts";

/** What a session runs over; a `Deno.Conn` is one. */
export interface Transport {
  /** Reads at least one byte; null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes at least one byte, and returns how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends both directions. */
  close(): void;
}

/** How a session is set up. */
export interface YamuxOptions {
  /** The client opens streams with odd ids. Packer is the client, its plugin the server. */
  role: "client" | "server";
  /** Called with each stream that the other side opens; they are refused without it. */
  onStream?: (stream: YamuxStream) => void;
  /**
   * After how long without received data a ping is sent, in milliseconds;
   * never unless given. Go's sessions send one every 30 s.
   */
  keepAliveMs?: number;
  /** The most that is accepted. */
  limits?: Partial<WireLimits>;
}

/** How much is read from the connection at once. */
const READ_BYTES = 128 * 1024;

/** How much is written to the connection at once, unless one frame is larger. */
const WRITE_BYTES = 256 * 1024;

/** How long the other side may take to answer a ping, as in Go's yamux. */
const PING_TIMEOUT_MS = 10_000;

/** How long `close` waits for the other side to take what is still unsent. */
const FLUSH_TIMEOUT_MS = 5_000;

/** A frame that waits to be written. */
interface OutgoingFrame {
  header: Uint8Array;
  body: Uint8Array | undefined;
  onSent: ((error?: Error) => void) | undefined;
}

/** One end of a yamux session. */
export class YamuxSession implements SessionOfStream {
  /** Resolves when the session has ended, with the reason. It never rejects. */
  readonly ended: Promise<Error>;

  readonly #transport: Transport;
  readonly #options: YamuxOptions;
  readonly #limits: WireLimits;
  readonly #streams = new Map<number, YamuxStream>();
  readonly #resolveEnded: (reason: Error) => void;
  #endReason: Error | undefined;
  #nextStreamId: number;
  #isRemoteGoingAway = false;
  #unreadBytes = 0;

  readonly #outgoing: OutgoingFrame[] = [];
  #isWriting = false;
  #isWritable = true;
  #onFlushed: (() => void) | undefined;
  #waitingControlBytes = 0;

  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerLength = 0;
  #bodyLeft = 0;
  #bodyStream: YamuxStream | undefined;
  #bodyEndsStream = false;

  readonly #pings = new Map<number, PromiseWithResolvers<void>>();
  #nextPing = 0;
  #lastReceivedMs = performance.now();
  #keepAlive: ReturnType<typeof setInterval> | undefined;

  /**
   * Starts the session at once.
   *
   * @param transport The connection; the session closes it.
   * @param options How the session is set up.
   */
  constructor(transport: Transport, options: YamuxOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#limits = { ...DEFAULT_WIRE_LIMITS, ...options.limits };
    this.#nextStreamId = options.role === "client" ? 1 : 2;
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.ended = promise;
    this.#resolveEnded = resolve;
    void this.#readAll();
    if (options.keepAliveMs) {
      this.#keepAlive = setInterval(
        () => this.#checkAlive(),
        options.keepAliveMs,
      );
    }
  }

  /** How many streams are open. */
  get streamCount(): number {
    return this.#streams.size;
  }

  /** Why the session has ended; undefined while it has not. */
  get endReason(): Error | undefined {
    return this.#endReason;
  }

  /**
   * Opens a stream. The other side learns of it at once.
   *
   * @throws {ConnectionClosedError} When the session has ended or the other side takes no more streams.
   */
  open(): YamuxStream {
    if (this.#endReason !== undefined) throw this.#endReason;
    if (this.#isRemoteGoingAway) {
      throw new ConnectionClosedError("the other side accepts no more streams");
    }
    if (this.#streams.size >= this.#limits.streams) {
      throw new ConnectionClosedError(
        `more than ${this.#limits.streams} streams are open`,
      );
    }
    const id = this.#nextStreamId;
    this.#nextStreamId += 2;
    const stream = new YamuxStream(id, this);
    this.#streams.set(id, stream);
    this.sendControl(FrameType.WindowUpdate, Flag.Syn, id, 0);
    return stream;
  }

  /**
   * Measures how long the other side takes to answer.
   *
   * @returns The time in milliseconds.
   * @throws {Error} The reason of the session's end, when that comes first.
   */
  async ping(): Promise<number> {
    if (this.#endReason !== undefined) throw this.#endReason;
    const begin = performance.now();
    const opaque = this.#nextPing;
    this.#nextPing = (opaque + 1) >>> 0;
    const answered = Promise.withResolvers<void>();
    this.#pings.set(opaque, answered);
    this.sendControl(FrameType.Ping, Flag.Syn, 0, opaque);
    await answered.promise;
    return performance.now() - begin;
  }

  /** Ends the session once the other side has taken all that was sent, or 5 s later. */
  async close(): Promise<void> {
    if (this.#endReason !== undefined) return;
    this.sendControl(FrameType.GoAway, 0, 0, GoAwayCode.Normal);
    if (this.#isWriting) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, FLUSH_TIMEOUT_MS);
      this.#onFlushed = resolve;
      await Promise.race([promise, this.ended]);
      clearTimeout(timer);
    }
    this.#end(new ConnectionClosedError("this side closed the connection"));
  }

  async #readAll(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    try {
      while (this.#endReason === undefined) {
        const count = await this.#transport.read(buffer);
        if (count === null) {
          this.#end(
            new ConnectionClosedError("the other side closed the connection"),
          );
          return;
        }
        this.#lastReceivedMs = performance.now();
        this.#receive(buffer.subarray(0, count));
      }
    } catch (error) {
      if (error instanceof ProtocolError) {
        this.sendControl(FrameType.GoAway, 0, 0, GoAwayCode.ProtocolError);
      }
      this.#end(asClosed(error));
    }
  }

  #receive(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#bodyLeft > 0) {
        const piece = chunk.subarray(at, at + this.#bodyLeft);
        at += piece.length;
        this.#bodyLeft -= piece.length;
        this.#bodyStream?.receive(piece);
        if (this.#bodyLeft === 0) this.#finishBody();
        continue;
      }
      const piece = chunk.subarray(at, at + HEADER_BYTES - this.#headerLength);
      this.#header.set(piece, this.#headerLength);
      this.#headerLength += piece.length;
      at += piece.length;
      if (this.#headerLength === HEADER_BYTES) {
        this.#headerLength = 0;
        this.#receiveHeader();
        // An endReason is set when a stream's owner closed the session.
        if (this.#endReason !== undefined) return;
      }
    }
  }

  #finishBody(): void {
    const stream = this.#bodyStream;
    this.#bodyStream = undefined;
    if (this.#bodyEndsStream) stream?.receiveEnd();
  }

  #receiveHeader(): void {
    const view = new DataView(this.#header.buffer);
    const version = view.getUint8(0);
    const type = view.getUint8(1);
    const flags = view.getUint16(2);
    const id = view.getUint32(4);
    const length = view.getUint32(8);
    if (version !== VERSION) {
      throw new ProtocolError(`yamux frame of unknown version ${version}`);
    }
    switch (type) {
      case FrameType.Data:
      case FrameType.WindowUpdate:
        return this.#receiveForStream(type, flags, id, length);
      case FrameType.Ping:
        return this.#receivePing(flags, length);
      case FrameType.GoAway:
        this.#isRemoteGoingAway = true;
        if (length !== GoAwayCode.Normal) {
          throw new ConnectionClosedError(
            `the other side ended the session with yamux code ${length}`,
          );
        }
        return;
      default:
        throw new ProtocolError(`yamux frame of unknown type ${type}`);
    }
  }

  #receivePing(flags: number, opaque: number): void {
    if (flags & Flag.Syn) {
      this.sendControl(FrameType.Ping, Flag.Ack, 0, opaque);
      return;
    }
    this.#pings.get(opaque)?.resolve();
    this.#pings.delete(opaque);
  }

  #receiveForStream(
    type: number,
    flags: number,
    id: number,
    length: number,
  ): void {
    if (flags & Flag.Syn) this.#acceptStream(id);
    const stream = this.#streams.get(id);
    const isData = type === FrameType.Data;
    if (isData && length > INITIAL_WINDOW_BYTES) {
      throw new ProtocolError(
        `yamux frame of ${length} bytes, where a window has ${INITIAL_WINDOW_BYTES}`,
      );
    }
    if (stream === undefined) {
      // Frames may cross with the end of a stream: their bodies are dropped.
      if (isData) this.#bodyLeft = length;
      this.#bodyStream = undefined;
      return;
    }
    if (flags & Flag.Rst) {
      stream.receiveReset();
      if (isData) this.#bodyLeft = length;
      this.#bodyStream = undefined;
      return;
    }
    if (!isData) {
      if (length > 0) stream.receiveWindow(length);
      if (flags & Flag.Fin) stream.receiveEnd();
      return;
    }
    stream.reserve(length);
    this.#bodyLeft = length;
    this.#bodyStream = stream;
    this.#bodyEndsStream = (flags & Flag.Fin) !== 0;
    if (length === 0) this.#finishBody();
  }

  #acceptStream(id: number): void {
    const isTheirs = id !== 0 &&
      (id % 2 === 1) === (this.#options.role === "server");
    if (!isTheirs || this.#streams.has(id)) {
      throw new ProtocolError(`yamux stream ${id} cannot be opened`);
    }
    if (this.#isOver(this.#streams.size, "streams")) {
      throw new ProtocolError(
        `more than ${this.#limits.streams} yamux streams are open`,
      );
    }
    if (this.#options.onStream === undefined) {
      this.sendControl(FrameType.WindowUpdate, Flag.Rst, id, 0);
      return;
    }
    const stream = new YamuxStream(id, this);
    this.#streams.set(id, stream);
    this.sendControl(FrameType.WindowUpdate, Flag.Ack, id, 0);
    this.#options.onStream(stream);
  }

  #isOver(count: number, limit: "streams" | "unreadBytes"): boolean {
    return count >= this.#limits[limit];
  }

  /** Called by a stream with the change of its unread bytes. */
  addUnread(change: number): void {
    this.#unreadBytes += change;
    if (change > 0 && this.#isOver(this.#unreadBytes, "unreadBytes")) {
      throw new ProtocolError(
        `more than ${this.#limits.unreadBytes} received bytes are not read`,
      );
    }
  }

  /** Called by a stream when both directions have ended. */
  forget(id: number): void {
    this.#streams.delete(id);
  }

  /** Sends a frame without a body. */
  sendControl(type: number, flags: number, id: number, length: number): void {
    if (this.#endReason !== undefined || !this.#isWritable) return;
    this.#waitingControlBytes += HEADER_BYTES;
    if (this.#waitingControlBytes > this.#limits.controlBytes) {
      this.#end(
        new ProtocolError(
          "the other side sends requests and reads no answers",
        ),
      );
      return;
    }
    this.#write({
      header: encodeHeader(type, flags, id, length),
      body: undefined,
      onSent: undefined,
    });
  }

  /**
   * Sends a data frame.
   *
   * @param onSent Called when the connection has taken it, or with the reason why it has not.
   */
  sendData(
    id: number,
    body: Uint8Array,
    onSent: (error?: Error) => void,
  ): void {
    if (this.#endReason !== undefined) return onSent(this.#endReason);
    if (!this.#isWritable) return onSent(notWritable());
    const header = encodeHeader(FrameType.Data, 0, id, body.length);
    this.#write({ header, body, onSent });
  }

  #write(frame: OutgoingFrame): void {
    this.#outgoing.push(frame);
    if (!this.#isWriting) void this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#outgoing.length > 0 && this.#endReason === undefined) {
      const { bytes, frames } = this.#takeOutgoing();
      let error: Error | undefined;
      try {
        for (let at = 0; at < bytes.length;) {
          at += await this.#transport.write(bytes.subarray(at));
        }
      } catch {
        // The other side has closed the connection: what it sent before is
        // there to be read, and then its end.
        this.#isWritable = false;
        error = notWritable();
        frames.push(...this.#outgoing.splice(0));
      }
      for (const { body, onSent } of frames) {
        if (body === undefined) this.#waitingControlBytes -= HEADER_BYTES;
        onSent?.(error);
      }
    }
    this.#isWriting = false;
    this.#onFlushed?.();
  }

  /** The frames that are written next, in one piece. */
  #takeOutgoing(): { bytes: Uint8Array; frames: OutgoingFrame[] } {
    let length = 0;
    let count = 0;
    for (const { body } of this.#outgoing) {
      const more = HEADER_BYTES + (body?.length ?? 0);
      if (count > 0 && length + more > WRITE_BYTES) break;
      length += more;
      count++;
    }
    const frames = this.#outgoing.splice(0, count);
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const { header, body } of frames) {
      bytes.set(header, at);
      at += HEADER_BYTES;
      if (body === undefined) continue;
      bytes.set(body, at);
      at += body.length;
    }
    return { bytes, frames };
  }

  #checkAlive(): void {
    const silence = performance.now() - this.#lastReceivedMs;
    if (silence < this.#options.keepAliveMs! || this.#pings.size > 0) return;
    const timer = setTimeout(async () => {
      // Where this process itself was stopped, the answer is there and not read
      // yet: it gets another second.
      await new Promise((resolve) => setTimeout(resolve, 1000));
      this.#end(
        new ConnectionClosedError(
          `the other side did not answer a ping for ${
            PING_TIMEOUT_MS / 1000
          } s`,
        ),
      );
    }, PING_TIMEOUT_MS);
    this.ping().catch(() => {}).finally(() => clearTimeout(timer));
  }

  #end(reason: Error): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    clearInterval(this.#keepAlive);
    try {
      this.#transport.close();
    } catch {
      // The connection is closed already.
    }
    for (const { reject } of this.#pings.values()) reject(reason);
    this.#pings.clear();
    for (const stream of [...this.#streams.values()]) stream.fail(reason);
    this.#streams.clear();
    for (const { onSent } of this.#outgoing.splice(0)) onSent?.(reason);
    this.#resolveEnded(reason);
  }
}

function notWritable(): ConnectionClosedError {
  return new ConnectionClosedError("the other side closed the connection");
}

/** Errors of a closed connection, in one form. */
function asClosed(error: unknown): Error {
  if (
    error instanceof ProtocolError || error instanceof ConnectionClosedError
  ) {
    return error;
  }
  return new ConnectionClosedError(
    `the connection was lost: ${(error as Error).message}`,
    { cause: error },
  );
}
