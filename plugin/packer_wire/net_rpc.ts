// Calls of Go's net/rpc over a stream, in MessagePack: a header and a body for
// each request and each response, back to back.

import { ConnectionClosedError, ProtocolError } from "../rpc/protocol.ts";
import { DEFAULT_WIRE_LIMITS, type WireLimits } from "./limits.ts";
import { MsgpackDecoder } from "./msgpack.ts";
import { encodeAll } from "./msgpack_writer.ts";

/** What calls go over; a `YamuxStream` is one. */
export interface RpcStream {
  /** Reads the next bytes; null at the end. */
  read(): Promise<Uint8Array | null>;
  /** Writes bytes in the order of the calls. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends this direction. */
  end(): void;
  /** Ends both directions at once. */
  reset(): void;
}

/**
 * What one side serves on a stream: by method, such as `Ui.Say`, a function of
 * the argument. Methods may be added and removed while it is served.
 */
export type RpcMethods = Map<string, (argument: unknown) => unknown>;

/** The most that is accepted on a stream. */
export type RpcLimits = Pick<
  WireLimits,
  "messageBytes" | "headerBytes" | "depth" | "values" | "calls"
>;

/** Go's own text for a call whose connection has ended. */
const SHUT_DOWN = "connection is shut down";

interface PendingCall {
  method: string;
  resolve: (value: unknown) => void;
  reject: (reason: Error) => void;
}

/** Calls what the other side serves on a stream. */
export class RpcClient {
  /** Resolves when the stream has ended. It never rejects. */
  readonly ended: Promise<void>;
  readonly #stream: RpcStream;
  readonly #pending = new Map<number, PendingCall>();
  #nextSeq = 0;
  #endReason: Error | undefined;

  /**
   * @param stream The stream, on which nothing was read or written yet.
   * @param limits The most that is accepted.
   */
  constructor(stream: RpcStream, limits: Partial<RpcLimits> = {}) {
    this.#stream = stream;
    this.ended = this.#readAll(limits);
  }

  /**
   * Calls a method.
   *
   * @param method Its service and name, such as `Ui.Say`.
   * @param argument Its argument; nil unless given.
   * @returns Its result.
   * @throws {Error} With the text that the other side answered.
   * @throws {ConnectionClosedError} When the stream has ended.
   * @throws {TypeError} When the argument cannot be sent.
   */
  call(method: string, argument?: unknown): Promise<unknown> {
    if (this.#endReason !== undefined) {
      return Promise.reject(closedDuring(method, this.#endReason));
    }
    return new Promise((resolve, reject) => {
      const seq = this.#nextSeq++;
      const bytes = encodeAll({ ServiceMethod: method, Seq: seq }, argument);
      this.#pending.set(seq, { method, resolve, reject });
      this.#stream.write(bytes).catch((error) => this.#end(error as Error));
    });
  }

  /** Ends the stream; calls in flight fail. */
  close(): void {
    this.#stream.end();
    this.#end(new ConnectionClosedError(SHUT_DOWN));
  }

  async #readAll(limits: Partial<RpcLimits>): Promise<void> {
    const messages = new MessageReader(this.#stream, limits);
    try {
      for (;;) {
        const message = await messages.next();
        if (message === undefined) break;
        this.#receive(message);
      }
      this.#end(new ConnectionClosedError(SHUT_DOWN));
      // Go keeps a stream that it has closed until this side closes it, too.
      this.#stream.end();
    } catch (error) {
      this.#end(error as Error);
      this.#stream.reset();
    }
  }

  #receive({ header, body }: Message): void {
    const pending = this.#pending.get(header.Seq);
    // net/rpc ignores a response to an unknown call.
    if (pending === undefined) return;
    this.#pending.delete(header.Seq);
    const error = header.Error;
    if (typeof error === "string" && error !== "") {
      pending.reject(new Error(error));
    } else pending.resolve(body);
  }

  #end(reason: Error): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    for (const { method, reject } of this.#pending.values()) {
      reject(closedDuring(method, reason));
    }
    this.#pending.clear();
  }
}

function closedDuring(method: string, reason: Error): Error {
  if (reason instanceof ProtocolError) return reason;
  return new ConnectionClosedError(`${method}: ${reason.message}`, {
    cause: reason,
  });
}

/**
 * Serves methods on a stream until the other side ends it.
 *
 * @param stream The stream, on which nothing was read or written yet.
 * @param methods What is served.
 * @param limits The most that is accepted.
 * @returns Resolves when the stream has ended and no call is in flight, with
 * the reason where that was no regular end; it never rejects.
 */
export async function serveRpc(
  stream: RpcStream,
  methods: RpcMethods,
  limits: Partial<RpcLimits> = {},
): Promise<Error | undefined> {
  const { calls } = { ...DEFAULT_WIRE_LIMITS, ...limits };
  const inFlight = new Set<Promise<void>>();
  const messages = new MessageReader(stream, limits);
  let reason: Error | undefined;
  try {
    for (;;) {
      const message = await messages.next();
      if (message === undefined) break;
      if (inFlight.size >= calls) {
        throw new ProtocolError(`more than ${calls} calls are in flight`);
      }
      const call = answer(stream, methods, message)
        .finally(() => inFlight.delete(call));
      inFlight.add(call);
    }
  } catch (error) {
    // A peer that breaks the rules learns it from the reset.
    stream.reset();
    reason = error as Error;
  }
  await Promise.all(inFlight);
  stream.end();
  return reason;
}

async function answer(
  stream: RpcStream,
  methods: RpcMethods,
  { header, body }: Message,
): Promise<void> {
  const { ServiceMethod, Seq } = header;
  let response: Uint8Array;
  try {
    const method = methods.get(ServiceMethod);
    if (method === undefined) {
      throw new Error(`rpc: can't find method ${ServiceMethod}`);
    }
    const result = await method(body);
    response = encodeAll({ ServiceMethod, Seq, Error: "" }, result);
  } catch (error) {
    response = encodeAll({ ServiceMethod, Seq, Error: errorText(error) }, {});
  }
  try {
    await stream.write(response);
  } catch {
    // The peer has closed the connection: no caller waits for this.
  }
}

/**
 * The text that an error crosses as; Go takes an empty one for success.
 *
 * @param error What was thrown.
 */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text === "" ? "unknown error" : text;
}

/** A header with the body behind it. */
interface Message {
  header: { ServiceMethod: string; Seq: number; Error?: unknown };
  body: unknown;
}

/** Reads headers and bodies in turn. */
class MessageReader {
  readonly #stream: RpcStream;
  readonly #limits: RpcLimits;
  readonly #decoder: MsgpackDecoder;
  #header: Message["header"] | undefined;

  constructor(stream: RpcStream, limits: Partial<RpcLimits>) {
    this.#stream = stream;
    this.#limits = { ...DEFAULT_WIRE_LIMITS, ...limits };
    this.#decoder = new MsgpackDecoder(this.#limits);
  }

  /** The next message; undefined at the end. */
  async next(): Promise<Message | undefined> {
    for (;;) {
      const message = this.#take();
      if (message !== undefined) return message;
      const chunk = await this.#stream.read();
      if (chunk === null) {
        if (this.#header !== undefined || this.#decoder.waitingBytes > 0) {
          throw new ConnectionClosedError("unexpected EOF");
        }
        return undefined;
      }
      this.#decoder.push(chunk);
    }
  }

  #take(): Message | undefined {
    if (this.#header === undefined) {
      const header = this.#decoder.next(this.#limits.headerBytes);
      if (header === undefined) return undefined;
      this.#header = checkHeader(header.value);
    }
    const body = this.#decoder.next();
    if (body === undefined) return undefined;
    const message = { header: this.#header, body: body.value };
    this.#header = undefined;
    return message;
  }
}

function checkHeader(value: unknown): Message["header"] {
  const { ServiceMethod = "", Seq = 0, Error } =
    (typeof value === "object" && value !== null
      ? value
      : { Seq: NaN }) as Partial<Message["header"]>;
  if (typeof ServiceMethod !== "string" || !Number.isSafeInteger(Seq)) {
    throw new ProtocolError(
      "a call has a header that is none of net/rpc's",
    );
  }
  return { ServiceMethod, Seq, Error };
}
