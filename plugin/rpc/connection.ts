// A connection: calls in both directions over one pair of pipes, numbered and
// concurrent. Ours are all failed at once when it ends; theirs are served.

import {
  chunkResponseLine,
  type SpliceBuffer,
  SplicedChunks,
} from "./payload/spliced_payload.ts";
import { decode, encode } from "./codec.ts";
import { type Frame, FrameReader, type OnFrame } from "./frame_reader.ts";
import { parseMessage, type WireMessage } from "./message.ts";
import {
  type CallOptions,
  closeError,
  type CloseReason,
  OutgoingCalls,
  refusedCall,
} from "./outgoing_calls.ts";
import { SendBuffer, type SpliceWrite, type Write } from "./send_buffer.ts";
import { BufferPool, ForwardedValue } from "./payload/pooled_payload.ts";
import { DEFAULT_LIMITS, type Limits, ProtocolError } from "./protocol.ts";
import { References } from "./references/references.ts";
import { IncomingCalls } from "./incoming_calls.ts";

/** What a connection is made of. */
export interface ConnectionOptions {
  /** Writes to the other side. */
  write: Write;
  /** Who the other side is, for errors: a plugin's path, or `"the host"`. */
  peer: string;
  /** What the other side may call without having been given it. */
  root?: object;
  /** The most that is accepted from the other side. */
  limits?: Limits;
  /** Takes lines of the other side that are texts; they are errors unless given. */
  onText?(line: Uint8Array): void;
  /**
   * True to begin each write on a new line, so that what something else has
   * written into the same pipe stays a line of its own.
   */
  onFreshLines?: boolean;
  /**
   * Asked when a call is made while none is in flight: whether the other side
   * hears soon after it, of another call or of {@linkcode Connection.sendEmptyLine}.
   */
  announcesMore?(): boolean;
  /**
   * Asked for a way past this process's memory, when chunks come that only pass
   * through.
   *
   * @param length How many bytes they are.
   */
  bypass?(length: number): SpliceBuffer | undefined;
  /**
   * True to accept what is written to a stream of the other side after the
   * connection has ended, and drop it: nobody is left to read it, and a cleanup
   * that writes there must go on.
   */
  dropsLateWrites?: boolean;
  /** Sends what has come past this process's memory, over another connection. */
  pour?: SpliceWrite;
  /**
   * Called once when the other side breaks the protocol, just before the
   * connection is closed for it.
   *
   * @returns What calls in flight fail with; the error itself unless given.
   * Nothing more is read while it is being found out.
   */
  onProtocolError?(
    error: ProtocolError,
  ): CloseReason | Promise<CloseReason> | void;
}

/** In how many steps of its promises a call is answered that waits for nothing. */
const MICROTASKS = 8;

/** One end of the wire. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #limits: Limits;
  readonly #reader: FrameReader;
  readonly #onFrame: OnFrame = (frame, isLast) => this.#take(frame, isLast);
  readonly #references: References;
  readonly #outbox: SendBuffer;
  readonly #memory = new BufferPool();
  readonly #outgoing: OutgoingCalls;
  readonly #serving: IncomingCalls;
  #refusedCalls = 0;
  /** Whether the last that came was a call behind which more comes soon. */
  #isMoreNear = false;
  #closed: CloseReason | undefined;
  #isBroken = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#outgoing = new OutgoingCalls(options.peer);
    this.#limits = options.limits ?? DEFAULT_LIMITS;
    this.#reader = new FrameReader(
      this.#limits,
      options.onText,
      {
        memory: (json) =>
          this.#outgoing.isForwarded(json.return) ? this.#memory : undefined,
        bypass: (json, line, lengths) =>
          this.#outgoing.isForwarded(json.return) &&
            line === chunkResponseLine(json.return as number, lengths)
            ? options.bypass?.(
              lengths.reduce((sum, length) => sum + length, 0),
            )
            : undefined,
      },
    );
    this.#outbox = new SendBuffer(
      options.write,
      options.onFreshLines ? "\n" : "",
      options.pour,
    );
    this.#references = new References({
      name: options.peer,
      dropsLateWrites: options.dropsLateWrites ?? false,
      call: (...call) => this.call(...call),
      release: (release, count) => this.#send({ release, count }),
      abort: (abort, reason) => this.#abort(abort, reason),
    }, this.#limits);
    this.#serving = new IncomingCalls({
      root: options.root ?? {},
      references: this.#references,
      limits: this.#limits,
      unread: () => this.#outbox.unsentBytes,
      send: (message) => this.#send(message),
      sendChunks: (call, chunks) => this.#sendChunks(call, chunks),
    });
  }

  /** How many references each side holds of the other's. */
  get references(): { exported: number; imported: number } {
    const { exports, imports } = this.#references;
    return { exported: exports.size, imported: imports.size };
  }

  /** How many calls were made after the end: a sign of life of what cleans up. */
  get refusedCalls(): number {
    return this.#refusedCalls;
  }

  /** How many calls wait for an answer from the other side. */
  get pending(): number {
    return this.#outgoing.inFlight;
  }

  /** Resolves when no call is being answered here. */
  idle(): Promise<void> {
    return this.#serving.idle();
  }

  /**
   * Waits for the answers that take no longer than this turn, and sends them:
   * they are to be on their way before anything else is begun.
   */
  async flushPromptAnswers(): Promise<void> {
    for (
      let step = 0;
      this.#serving.inFlight > 0 && step < MICROTASKS;
      step++
    ) {
      await null;
    }
    this.#outbox.flush();
  }

  /**
   * Whether nothing is in flight here, and the other side has said that more
   * comes soon: then that can be waited for on the spot.
   */
  get expectsMore(): boolean {
    return this.#isMoreNear && this.isIdle;
  }

  /** Whether nothing is in flight on either side. */
  get isIdle(): boolean {
    return this.#outgoing.inFlight === 0 && this.#serving.inFlight === 0;
  }

  /** Whether nothing is in flight but one call of ours, which has been sent. */
  get awaitsOnlyAnswer(): boolean {
    return this.#outgoing.inFlight === 1 && this.#serving.inFlight === 0 &&
      this.#outbox.isEmpty;
  }

  /** Tells the other side that nothing more comes for now. */
  sendEmptyLine(): void {
    if (this.#closed === undefined) this.#outbox.send("", []);
  }

  /**
   * Calls something of the other side.
   *
   * @param ref Its reference; 0 is the root.
   * @param method The method's name; none for a function.
   * @param args The arguments.
   * @param options How it is called.
   * @returns What it returned; as {@linkcode ForwardedValue} or
   * {@linkcode SplicedChunks} if it is passed on.
   * @throws {Error} What it threw, with a stack of both sides.
   * @throws {ConnectionClosedError} When the connection ended before the answer.
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

  /**
   * Takes what was read from the other side.
   *
   * @param chunk Bytes, in pieces of any size; not kept.
   */
  receive(chunk: Uint8Array): void {
    if (!this.#isOpen) return;
    this.#isMoreNear = false;
    try {
      this.#reader.push(chunk, this.#onFrame);
    } catch (error) {
      this.#break(error);
    }
  }

  /**
   * Where what comes next goes, if past this process's memory: it need not be
   * read.
   */
  get bypass(): SpliceBuffer | undefined {
    return this.#isOpen ? this.#reader.bypass : undefined;
  }

  /** Takes that something has been moved into {@linkcode bypass}. */
  moved(): void {
    try {
      this.#reader.commitSplice(this.#onFrame);
    } catch (error) {
      this.#break(error);
    }
  }

  /**
   * Where what is read next goes in the end: bytes read into it need not be
   * copied. Undefined where that is not known.
   */
  get room(): Uint8Array | undefined {
    return this.#isOpen ? this.#reader.readTarget : undefined;
  }

  /**
   * Takes what was read into {@linkcode room}.
   *
   * @param count How many bytes that was.
   */
  filled(count: number): void {
    // It can have ended while that was read.
    if (!this.#isOpen) return;
    try {
      this.#reader.commitRead(count, this.#onFrame);
    } catch (error) {
      this.#break(error);
    }
  }

  /**
   * Takes the end of what can be read from the other side, and ends the
   * connection. Half a message is no news: the reason says why it ends there.
   *
   * @param reason What the calls in flight fail with.
   */
  receiveEnd(reason: CloseReason): void {
    this.#reader.end();
    this.close(reason);
  }

  /**
   * Ends the connection: calls in flight fail, signals that came over it are
   * aborted, references are gone.
   *
   * @param reason What they fail with.
   */
  close(reason: CloseReason): void {
    if (this.#closed !== undefined) return;
    this.#outbox.flush();
    this.#closed = reason;
    this.#outgoing.close(reason);
    this.#reader.abandon();
    this.#serving.close();
    this.#references.close(closeError(reason, undefined));
  }

  /** Whether what comes from the other side is still listened to. */
  get #isOpen(): boolean {
    return this.#closed === undefined && !this.#isBroken;
  }

  #break(error: unknown): void {
    const cause = error instanceof ProtocolError
      ? error
      : new ProtocolError(String((error as Error)?.message ?? error), {
        cause: error,
      });
    const named = new ProtocolError(
      `${this.#options.peer} does not keep to baler's protocol: ${cause.message}`,
      { cause: cause.cause ?? cause },
    );
    this.#isBroken = true;
    const reason = this.#options.onProtocolError?.(named) ?? named;
    if (reason instanceof Promise) void reason.then((one) => this.close(one));
    else this.close(reason);
  }

  #take(frame: Frame, isLast: boolean): void {
    // The message before it can be the one with which it ends.
    if (!this.#isOpen) return;
    if (frame.bypass !== undefined) {
      return this.#passed(frame.json, frame.bypass);
    }
    const decoded = decode(frame, this.#references);
    const { signals, hasReferences } = decoded;
    const message = parseMessage(decoded.message);
    switch (message.type) {
      case "call":
        this.#isMoreNear = isLast && message.soon;
        return this.#serving.dispatch(message, signals, frame.memory);
      case "return":
        return this.#outgoing.handleReturn(
          message,
          // An object that came by reference may have bytes among its fields.
          (value) => this.#forwarded(value, hasReferences ? [] : frame.bytes),
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

  /** Takes an answer that is {@linkcode chunkResponseLine}. */
  #passed({ return: call, bytes }: Frame["json"], bypass: SpliceBuffer): void {
    const chunks = new SplicedChunks(bytes as number[], bypass);
    this.#outgoing.resolveForwarded(call as number, chunks);
  }

  #forwarded(value: unknown, passing: Uint8Array[]): ForwardedValue {
    return new ForwardedValue(value, () => this.#memory.release(passing));
  }

  #abort(abort: number, reason: unknown): void {
    try {
      this.#send({ abort, reason });
    } catch (error) {
      // Nobody is there to be told why it cannot be sent, but aborted it must be.
      this.#send({ abort, reason: error });
    }
  }

  #send(message: WireMessage): void {
    if (this.#closed !== undefined) return;
    const { line, bytes } = encode(message, this.#references);
    this.#outbox.send(line, bytes);
  }

  #sendChunks(call: number, { lengths, bypass }: SplicedChunks): void {
    if (this.#closed !== undefined) return bypass.release();
    this.#outbox.sendSpliced(chunkResponseLine(call, lengths), bypass);
  }
}
