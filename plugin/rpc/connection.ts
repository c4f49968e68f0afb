// A connection: numbered, concurrent calls in both directions over one transport.
// The calls of this side are in outgoing_calls.ts, those of the peer in
// incoming_calls.ts.

import { type Frame, FrameReader, type OnFrame } from "./frame_reader.ts";
import { IncomingCalls } from "./incoming_calls.ts";
import { decode } from "./message_decoder.ts";
import { encode } from "./message_encoder.ts";
import { parseMessage, type WireMessage } from "./message.ts";
import {
  type CallOptions,
  closeError,
  type CloseReason,
  OutgoingCalls,
  refusedCall,
} from "./outgoing_calls.ts";
import { forwardedPayloads } from "./payload/forwarded_payloads.ts";
import type { ResultSender } from "./payload/payload.ts";
import { DEFAULT_LIMITS, type Limits, ProtocolError } from "./protocol.ts";
import { MessageScope } from "./references/message_scope.ts";
import { References } from "./references/references.ts";
import { SendBuffer } from "./send_buffer.ts";
import type {
  ByteSink,
  PipeEnd,
  SpliceTarget,
  Transport,
} from "./transport.ts";

/** The session that a connection carries. */
export interface ConnectionOptions {
  /** The name of the peer, for errors: the path of a plugin, or `"the host"`. */
  peer: string;
  /** The object whose methods the peer may call without a reference. */
  root?: object;
  /** The limits of what is accepted from the peer. */
  limits?: Limits;
  /** Called with each line of the peer that is text and not a message; such a line is an error unless given. */
  onText?(line: Uint8Array): void;
  /**
   * Whether each write begins with a line break, so that what other code has
   * written into the same pipe stays a line of its own.
   */
  onFreshLines?: boolean;
  /**
   * Called for a call that is made while none is in flight. Returns whether the
   * peer gets another line soon after it: a call, or an empty line
   * ({@linkcode Connection.sendEmptyLine}).
   */
  announcesMore?(): boolean;
  /**
   * Whether writes to a stream of the peer succeed and are dropped once the
   * connection is closed, so that a cleanup that writes there can go on.
   */
  dropsLateWrites?: boolean;
  /**
   * Called once when the peer violates the protocol, just before the connection
   * is closed for it.
   *
   * @returns What calls in flight fail with; the error itself unless given. With
   * a promise, the connection is closed when it resolves; until then nothing
   * more is read.
   */
  onProtocolError?(
    error: ProtocolError,
  ): CloseReason | Promise<CloseReason> | void;
}

/** How many microtasks a call may take to be answered before anything else is read. */
const RESPONSE_MICROTASKS = 8;

/** One end of the wire. */
export class Connection implements ByteSink {
  readonly #options: ConnectionOptions;
  readonly #reader: FrameReader;
  readonly #onFrame: OnFrame = (frame, isLast) => this.#handle(frame, isLast);
  readonly #spliceTarget: SpliceTarget = {
    spliceFrom: (pipe) => this.#splice(pipe),
  };
  readonly #references: References;
  readonly #sendBuffer: SendBuffer;
  readonly #outgoing: OutgoingCalls;
  readonly #incoming: IncomingCalls;
  #refusedCalls = 0;
  /** Whether the last message was a call that announced another line. */
  #isMoreAnnounced = false;
  #closed: CloseReason | undefined;
  #isBroken = false;

  /**
   * @param transport What is written to; what arrives is passed to the methods
   * of {@linkcode ByteSink}.
   * @param options The session.
   */
  constructor(transport: Transport, options: ConnectionOptions) {
    const { peer, limits = DEFAULT_LIMITS, root = {} } = options;
    this.#options = options;
    this.#outgoing = new OutgoingCalls(peer);
    const forwarded = forwardedPayloads(transport);
    this.#reader = new FrameReader(
      limits,
      options.onText,
      (header) =>
        this.#outgoing.isForwarded(header.json.return)
          ? forwarded(header)
          : undefined,
    );
    this.#sendBuffer = new SendBuffer(
      transport,
      options.onFreshLines ? "\n" : "",
    );
    this.#references = new References({
      name: peer,
      dropsLateWrites: options.dropsLateWrites ?? false,
      call: (...call) => this.call(...call),
      release: (release, count) => this.#send({ release, count }),
      abort: (abort, reason) => this.#sendAbort(abort, reason),
    }, limits);
    this.#incoming = new IncomingCalls({
      root,
      references: this.#references,
      limits,
      sender: this.#sender(transport),
    });
  }

  #sender({ splice }: Transport): ResultSender {
    const isOpen = () => this.#closed === undefined;
    return {
      get isOpen() {
        return isOpen();
      },
      sendBuffer: this.#sendBuffer,
      splice,
      send: (message) => this.#send(message),
    };
  }

  /** How many references each side holds of the other's. */
  get references(): { exported: number; imported: number } {
    const { exports, imports } = this.#references;
    return { exported: exports.size, imported: imports.size };
  }

  /** How many calls were made after the end: a cleanup that makes some is alive. */
  get refusedCalls(): number {
    return this.#refusedCalls;
  }

  /** How many calls of this side are in flight. */
  get pending(): number {
    return this.#outgoing.inFlight;
  }

  /** Resolves when no call of the peer is in flight. */
  idle(): Promise<void> {
    return this.#incoming.idle();
  }

  /**
   * Waits for the responses that take no longer than this turn, and writes them.
   * Called before anything else is read, so that they are on their way first.
   */
  async flushPromptResponses(): Promise<void> {
    for (
      let step = 0;
      this.#incoming.inFlight > 0 && step < RESPONSE_MICROTASKS;
      step++
    ) {
      await null;
    }
    this.#sendBuffer.flush();
  }

  /**
   * Whether nothing is in flight, and the peer has announced another line: a
   * blocking read then returns soon.
   */
  get expectsMore(): boolean {
    return this.#isMoreAnnounced && this.isIdle;
  }

  /** Whether nothing is in flight in either direction. */
  get isIdle(): boolean {
    return this.#outgoing.inFlight === 0 && this.#incoming.inFlight === 0;
  }

  /** Whether nothing is in flight but one call of this side, which has been written. */
  get awaitsOnlyResponse(): boolean {
    return this.#outgoing.inFlight === 1 && this.#incoming.inFlight === 0 &&
      this.#sendBuffer.isEmpty;
  }

  /** Sends an empty line: after an announcement, it tells that no call follows. */
  sendEmptyLine(): void {
    if (this.#closed === undefined) this.#sendBuffer.send("", []);
  }

  /**
   * Calls a reference of the peer.
   *
   * @param ref The reference; 0 is the root object.
   * @param method The name of the method; undefined for a function.
   * @param args The arguments.
   * @param options How the call is made.
   * @returns What the peer returned, in a form that can be forwarded if
   * `isForwarded` is set.
   * @throws {Error} What the peer threw, with the stacks of both sides.
   * @throws {ConnectionClosedError} When the connection is closed before the response.
   * @throws {TypeError} When an argument cannot be sent.
   */
  call(
    ref: number,
    method: string | undefined,
    args: unknown[],
    options: CallOptions = {},
  ): Promise<unknown> {
    if (this.#closed !== undefined) {
      this.#refusedCalls++;
      return refusedCall(this.#closed, method);
    }
    const call = this.#outgoing.nextNumber();
    const message: Extract<WireMessage, { call: number }> = { call };
    if (ref !== 0) message.on = ref;
    if (method !== undefined) message.method = method;
    if (args.length > 0) message.args = args;
    if (this.#outgoing.inFlight === 0 && this.#options.announcesMore?.()) {
      message.soon = true;
    }
    try {
      this.#send(message);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#outgoing.add(call, method, options);
  }

  receive(chunk: Uint8Array): void {
    if (!this.#isOpen) return;
    this.#isMoreAnnounced = false;
    try {
      this.#reader.push(chunk, this.#onFrame);
    } catch (error) {
      this.#break(error);
    }
  }

  get readTarget(): Uint8Array | undefined {
    return this.#isOpen ? this.#reader.readTarget : undefined;
  }

  commitRead(count: number): void {
    // The connection may have been closed during the read.
    if (!this.#isOpen) return;
    try {
      this.#reader.commitRead(count, this.#onFrame);
    } catch (error) {
      this.#break(error);
    }
  }

  get spliceTarget(): SpliceTarget | undefined {
    return this.#isOpen && this.#reader.spliceTarget !== undefined
      ? this.#spliceTarget
      : undefined;
  }

  #splice(pipe: PipeEnd): number {
    const count = this.#reader.spliceTarget!.spliceFrom(pipe);
    if (count === 0) return 0;
    try {
      this.#reader.commitSplice(this.#onFrame);
    } catch (error) {
      this.#break(error);
    }
    return count;
  }

  /**
   * Called at the end of what the peer writes. Closes the connection. An
   * incomplete message is discarded: the reason tells why it is incomplete.
   *
   * @param reason What the calls in flight fail with.
   */
  receiveEnd(reason: CloseReason): void {
    this.#reader.end();
    this.close(reason);
  }

  /**
   * Closes the connection: calls in flight fail, signals of the peer are
   * aborted, and references are released.
   *
   * @param reason What the calls fail with.
   */
  close(reason: CloseReason): void {
    if (this.#closed !== undefined) return;
    this.#sendBuffer.flush();
    this.#closed = reason;
    this.#outgoing.close(reason);
    this.#reader.discard();
    this.#incoming.close();
    this.#references.close(closeError(reason, undefined));
  }

  /** Whether what the peer sends is still read. */
  get #isOpen(): boolean {
    return this.#closed === undefined && !this.#isBroken;
  }

  /** Closes the connection for an error in what the peer has sent. */
  #break(error: unknown): void {
    const cause = error instanceof ProtocolError
      ? error
      : new ProtocolError(String((error as Error)?.message ?? error), {
        cause: error,
      });
    const named = new ProtocolError(
      `${this.#options.peer} violates baler's protocol: ${cause.message}`,
      { cause: cause.cause ?? cause },
    );
    this.#isBroken = true;
    const reason = this.#options.onProtocolError?.(named) ?? named;
    if (reason instanceof Promise) void reason.then((one) => this.close(one));
    else this.close(reason);
  }

  #handle(frame: Frame, isLast: boolean): void {
    // A frame before it in the same chunk may have closed the connection.
    if (!this.#isOpen) return;
    const { payload } = frame;
    if (payload.isOpaque) {
      return this.#outgoing.resolveForwarded(frame.json.return, payload);
    }
    const scope = new MessageScope();
    const message = parseMessage(decode(frame, this.#references, scope));
    switch (message.type) {
      case "call":
        this.#isMoreAnnounced = isLast && message.soon;
        return this.#incoming.dispatch(message, scope.signals, frame.memory);
      case "return":
        return this.#outgoing.handleReturn(
          message,
          payload,
          scope.hasReferences,
        );
      case "throw":
        return this.#outgoing.handleThrow(message);
      case "release":
        return this.#references.exports.handleRelease(
          message.release,
          message.count,
        );
      case "abort":
        return this.#references.imports.handleAbort(
          message.abort,
          message.reason,
        );
    }
  }

  #send(message: WireMessage): void {
    if (this.#closed !== undefined) return;
    const { line, bytes } = encode(message, this.#references);
    this.#sendBuffer.send(line, bytes);
  }

  #sendAbort(abort: number, reason: unknown): void {
    try {
      this.#send({ abort, reason });
    } catch (error) {
      // The signal must be aborted, even with the error instead of the reason.
      this.#send({ abort, reason: error });
    }
  }
}
