// Serving: the calls of the other side, each begun when it comes and answered
// once.

import { SplicedChunks } from "./payload/spliced_payload.ts";
import {
  type CallMessage,
  isThenable,
  responseMessage,
  type WireMessage,
} from "./message.ts";
import { ForwardedValue } from "./payload/pooled_payload.ts";
import {
  describeValue,
  type Limits,
  ProtocolError,
  withoutStack,
} from "./protocol.ts";
import type { References } from "./references/references.ts";

/** What serving needs of the connection that it belongs to. */
export interface ServingOptions {
  /** What may be called without having been given. */
  root: object;
  /** What has been given to the other side. */
  references: References;
  /** The most that is accepted from the other side. */
  limits: Limits;
  /** How many bytes the other side has not read yet. */
  unread(): number;
  /** Sends an answer, unless the connection has ended. */
  send(message: WireMessage): void;
  /** Sends an answer that has come past this process's memory, or lets go of it. */
  sendChunks(call: number, chunks: SplicedChunks): void;
}

/** The most memory of calls in flight on all connections of this process, in bytes. */
const MAX_MEMORY_IN_FLIGHT_BYTES = 2.5 * 1024 * 1024 * 1024;

let memoryInFlight = 0;

/** Answers the calls of the other side. */
export class IncomingCalls {
  readonly #options: ServingOptions;
  #underWay = 0;
  /** The memory of the calls in flight, as it is estimated, in bytes. */
  #memory = 0;
  #whenIdle: (() => void)[] = [];

  constructor(options: ServingOptions) {
    this.#options = options;
  }

  /** How many calls are being answered. */
  get inFlight(): number {
    return this.#underWay;
  }

  /** Resolves when no call is being answered. */
  idle(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /**
   * Begins with a call, and answers it when that is done.
   *
   * @param message The call.
   * @param signals The references of the signals in it.
   * @param memory The memory that the message takes, in bytes.
   * @throws {ProtocolError} When it exceeds a limit.
   */
  dispatch(
    { call, on, method, args }: CallMessage,
    signals: number[],
    memory: number,
  ): void {
    const { references, limits, unread } = this.#options;
    if (++this.#underWay > limits.calls) {
      throw new ProtocolError(`more than ${limits.calls} calls are in flight`);
    }
    if (unread() > limits.unread) {
      throw new ProtocolError(
        `it makes calls, and has not read ${limits.unread} bytes that it was sent`,
      );
    }
    this.#hold(memory);
    if (signals.length > 0) references.imports.retainSignals(signals);
    let result: unknown;
    try {
      // Started here and now, before the next message is looked at: that is
      // what keeps one side's calls in their order.
      result = on === 0
        ? this.#invokeRoot(method, args)
        : references.exports.invoke(on, method, args);
    } catch (error) {
      this.#answer(call, "throw", error, signals, memory);
      return;
    }
    if (isThenable(result)) {
      result.then(
        (value) => this.#answer(call, "return", value, signals, memory),
        (error) => this.#answer(call, "throw", error, signals, memory),
      );
    } else this.#answer(call, "return", result, signals, memory);
  }

  /** Counts the memory of a call until it is answered. */
  #hold(memory: number): void {
    this.#memory += memory;
    memoryInFlight += memory;
    const { inFlight } = this.#options.limits;
    if (this.#memory > inFlight) {
      throw new ProtocolError(
        `its calls in flight take more than ${inFlight} bytes`,
      );
    }
    if (memoryInFlight > MAX_MEMORY_IN_FLIGHT_BYTES) {
      throw new ProtocolError(
        `all calls in flight take more than ${MAX_MEMORY_IN_FLIGHT_BYTES} bytes`,
      );
    }
  }

  /** Gives back the memory of calls that will not be answered. */
  close(): void {
    memoryInFlight -= this.#memory;
    this.#memory = 0;
    this.#isClosed = true;
  }
  #isClosed = false;

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

  #answer(
    call: number,
    kind: "return" | "throw",
    value: unknown,
    signals: number[],
    memory: number,
  ): void {
    const { references, send, sendChunks } = this.#options;
    if (!this.#isClosed) {
      this.#memory -= memory;
      memoryInFlight -= memory;
    }
    if (signals.length > 0) references.imports.releaseSignals(signals);
    const passing = value instanceof ForwardedValue ? value : undefined;
    try {
      if (value instanceof SplicedChunks) sendChunks(call, value);
      else send(responseMessage(call, kind, passing ? passing.value : value));
      passing?.onSent();
    } catch (error) {
      // It cannot be sent: the caller is told, instead of waiting for ever.
      const why = minimalError(error);
      const told = kind === "throw" && value instanceof Error
        ? minimalError(value, why)
        : why;
      send(responseMessage(call, "throw", told));
    }
    if (--this.#underWay === 0) {
      for (const resolve of this.#whenIdle.splice(0)) resolve();
    }
  }
}

/** How much is told of an error that cannot be sent as it is, in characters. */
const MOST_TOLD = 64 * 1024;

/** What an error says without what it carries, which can be sent whatever the error is. */
function minimalError(thrown: unknown, cause?: Error): Error {
  const error = new Error(
    textIn(thrown, "message") ?? cause?.message ??
      "what it is cannot be sent to another process",
    cause && { cause },
  );
  error.name = textIn(thrown, "name") ?? "Error";
  error.stack = textIn(thrown, "stack") ?? error.stack;
  return error;
}

/** The text that an error has under a key, cut to what is told of it. */
function textIn(value: unknown, key: string): string | undefined {
  try {
    const text: unknown = (value as Record<string, unknown>)[key];
    if (typeof text !== "string") return undefined;
    return text.length <= MOST_TOLD ? text : `${text.slice(0, MOST_TOLD)} ...`;
  } catch {
    // A getter of it throws, or there is nothing to look into.
    return undefined;
  }
}
