// Incoming calls: each call of the peer is started when it arrives, and answered
// once.

import { type CallMessage, isThenable, responseMessage } from "./message.ts";
import { ForwardedResult, type ResultSender } from "./payload/payload.ts";
import {
  describeValue,
  type Limits,
  ProtocolError,
  withoutStack,
} from "./protocol.ts";
import type { References } from "./references/references.ts";
import { sendableError } from "./sendable_error.ts";

/** What incoming calls need of their connection. */
export interface IncomingCallsOptions {
  /** The object whose methods may be called without a reference. */
  root: object;
  /** The references of the connection. */
  references: References;
  /** The limits of what is accepted from the peer. */
  limits: Limits;
  /** Sends the responses. */
  sender: ResultSender;
}

/** The most memory of calls in flight on all connections of this process, in bytes. */
const MAX_MEMORY_IN_FLIGHT_BYTES = 2.5 * 1024 * 1024 * 1024;

let totalMemory = 0;

/** A call that has not been answered. */
interface CallInFlight {
  /** Its number. */
  readonly call: number;
  /** The references of the signals among its arguments. */
  readonly signals: readonly number[];
  /** The estimated memory of its message, in bytes. */
  readonly memory: number;
}

/** The calls of the peer that are in flight. */
export class IncomingCalls {
  readonly #options: IncomingCallsOptions;
  #inFlight = 0;
  /** The estimated memory of the calls in flight, in bytes. */
  #memory = 0;
  #isClosed = false;
  #onIdle: (() => void)[] = [];

  constructor(options: IncomingCallsOptions) {
    this.#options = options;
  }

  /** How many calls are in flight. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Resolves when no call is in flight. */
  idle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  /**
   * Starts a call, and answers it when it ends.
   *
   * @param message The call.
   * @param signals The references of the signals among its arguments.
   * @param memory The estimated memory of the message, in bytes.
   * @throws {ProtocolError} When it exceeds a limit.
   */
  dispatch(
    { call, on, method, args }: CallMessage,
    signals: readonly number[],
    memory: number,
  ): void {
    const { references, limits, sender } = this.#options;
    if (++this.#inFlight > limits.calls) {
      throw new ProtocolError(`more than ${limits.calls} calls are in flight`);
    }
    if (sender.sendBuffer.unsentBytes > limits.unread) {
      throw new ProtocolError(
        `it makes calls without reading the responses; more than ${limits.unread} bytes are unread`,
      );
    }
    this.#addMemory(memory);
    if (signals.length > 0) references.imports.retainSignals(signals);
    const inFlight: CallInFlight = { call, signals, memory };
    let result: unknown;
    try {
      // Started synchronously, before the next message is handled: this keeps
      // the calls of one side in order.
      result = on === 0
        ? this.#invokeRoot(method, args)
        : references.exports.invoke(on, method, args);
    } catch (error) {
      this.#answer(inFlight, "throw", error);
      return;
    }
    if (isThenable(result)) {
      result.then(
        (value) => this.#answer(inFlight, "return", value),
        (error) => this.#answer(inFlight, "throw", error),
      );
    } else this.#answer(inFlight, "return", result);
  }

  /** Counts the memory of a call until it is answered. */
  #addMemory(memory: number): void {
    this.#memory += memory;
    totalMemory += memory;
    const { inFlight } = this.#options.limits;
    if (this.#memory > inFlight) {
      throw new ProtocolError(
        `its calls in flight take more than ${inFlight} bytes`,
      );
    }
    if (totalMemory > MAX_MEMORY_IN_FLIGHT_BYTES) {
      throw new ProtocolError(
        `all calls in flight take more than ${MAX_MEMORY_IN_FLIGHT_BYTES} bytes`,
      );
    }
  }

  /** Gives back the memory of the calls in flight, which are not answered any more. */
  close(): void {
    totalMemory -= this.#memory;
    this.#memory = 0;
    this.#isClosed = true;
  }

  #invokeRoot(method: string | undefined, args: unknown[]): unknown {
    const root = this.#options.root as Record<string, unknown>;
    if (method === undefined || !Object.hasOwn(root, method)) {
      throw withoutStack(
        TypeError,
        `there is no method ${describeValue(method)} to call`,
      );
    }
    return (root[method] as (...args: unknown[]) => unknown)(...args);
  }

  /** Sends the response to a call. */
  #answer(
    { call, signals, memory }: CallInFlight,
    type: "return" | "throw",
    value: unknown,
  ): void {
    const { references, sender } = this.#options;
    if (!this.#isClosed) {
      this.#memory -= memory;
      totalMemory -= memory;
    }
    if (signals.length > 0) references.imports.releaseSignals(signals);
    try {
      if (value instanceof ForwardedResult) value.sendTo(call, sender);
      else sender.send(responseMessage(call, type, value));
    } catch (cause) {
      // The value cannot be sent. Without a response the caller would wait forever.
      const error = type === "throw"
        ? sendableError(value, cause)
        : sendableError(cause);
      sender.send(responseMessage(call, "throw", error));
    }
    if (--this.#inFlight === 0) {
      for (const resolve of this.#onIdle.splice(0)) resolve();
    }
  }
}
