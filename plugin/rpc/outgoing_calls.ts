// Outgoing calls: those that this side made and the peer has not responded to.
// Each is settled once, by a response or by the end of the connection.

import {
  isThenable,
  type ReturnMessage,
  type ThrowMessage,
} from "./message.ts";
import type { Payload } from "./payload/payload.ts";
import { ConnectionClosedError, ProtocolError } from "./protocol.ts";

/** How a call is made. */
export interface CallOptions {
  /**
   * Whether the stack of a thrown error shows where the call was made; true
   * unless given. A call that no author wrote, such as the read of a stream,
   * has no stack worth showing.
   */
  captureStack?: boolean;
  /**
   * Whether the result is only sent on over another connection; false unless
   * given. It is then returned as a forwarded result.
   */
  isForwarded?: boolean;
}

/** Why a connection ends: one error for all calls in flight, or one for each by its method. */
export type CloseReason = Error | ((method: string | undefined) => Error);

/** A call in flight. */
interface PendingCall {
  readonly method: string | undefined;
  readonly captureStack: boolean;
  readonly isForwarded: boolean;
  /** The promise that was returned to the caller. */
  readonly promise: Promise<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** The calls that wait for a response of the peer. */
export class OutgoingCalls {
  readonly #peer: string;
  readonly #pending = new Map<number, PendingCall>();
  #lastNumber = 0;

  /** @param peer The name of the peer, for errors. */
  constructor(peer: string) {
    this.#peer = peer;
  }

  /** How many calls are in flight. */
  get inFlight(): number {
    return this.#pending.size;
  }

  /** Returns the number of the next call. */
  nextNumber(): number {
    return ++this.#lastNumber;
  }

  /**
   * Adds a call that has been sent.
   *
   * @param number Its number.
   * @param method Its method; absent in a call of a function.
   * @param options How it was made.
   * @returns What the peer returns or throws.
   */
  add(
    number: number,
    method: string | undefined,
    { captureStack = true, isForwarded = false }: CallOptions,
  ): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.set(number, {
      method,
      captureStack,
      isForwarded,
      promise,
      resolve,
      reject,
    });
    return promise;
  }

  /** Whether a number is that of a forwarded call in flight. */
  isForwarded(number: unknown): boolean {
    return this.#pending.get(number as number)?.isForwarded === true;
  }

  /**
   * Resolves the call that a message responds to.
   *
   * @param message The response.
   * @param payload The bytes behind it.
   * @param hasReferences Whether the value contains references, whose fields
   * may be parts of the payload.
   * @throws {ProtocolError} When no such call is in flight, or the value is
   * thenable: a promise that is resolved with it would call its `then`.
   */
  handleReturn(
    { return: number, value }: ReturnMessage,
    payload: Payload,
    hasReferences: boolean,
  ): void {
    const call = this.#take(number);
    if (isThenable(value)) {
      const error = new ProtocolError(
        "invalid return: the value has a method `then`",
      );
      // The error closes the connection, whether the call is awaited or not.
      call.promise.catch(() => {});
      call.reject(error);
      throw error;
    }
    call.resolve(
      call.isForwarded ? payload.forward(value, !hasReferences) : value,
    );
  }

  /**
   * Rejects the call that a message responds to.
   *
   * @throws {ProtocolError} When no such call is in flight.
   */
  handleThrow({ throw: number, error }: ThrowMessage): void {
    const call = this.#take(number);
    if (call.captureStack && error instanceof Error) {
      return call.resolve(withCallerStack(error, call, this.#peer));
    }
    call.promise.catch(() => {});
    call.reject(error);
  }

  /**
   * Resolves a forwarded call whose response is not decoded.
   *
   * @param number The number of the call.
   * @param payload The bytes of the response.
   * @throws {ProtocolError} When the call is not in flight.
   */
  resolveForwarded(number: unknown, payload: Payload): void {
    this.#take(number as number).resolve(payload.forward(undefined, true));
  }

  /** Rejects all calls in flight. None of them is an unhandled rejection. */
  close(reason: CloseReason): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const call of pending) {
      call.promise.catch(() => {});
      call.reject(closeError(reason, call.method));
    }
  }

  /** Removes a call that is responded to. */
  #take(number: number): PendingCall {
    const call = this.#pending.get(number);
    if (call === undefined) {
      throw new ProtocolError(`no call ${number} is in flight to respond to`);
    }
    this.#pending.delete(number);
    return call;
  }
}

/**
 * Rejects with an error that has the stacks of both sides. The stack of this
 * side is captured here, from the promise chain that awaits the response:
 * capturing it when each call is made would cost more than the rest of the call.
 */
async function withCallerStack(
  error: Error,
  { method, promise }: PendingCall,
  peer: string,
): Promise<never> {
  // Two microtasks, until the caller's promise is chained to this one.
  await null;
  await null;
  const here: { stack?: string } = {};
  Error.captureStackTrace(here, withCallerStack);
  // Only now: V8 follows the chain of awaits while a promise has one reaction.
  promise.catch(() => {});
  const frames = (here.stack ?? "").split("\n").slice(1)
    .filter((frame) => !frame.includes("(ext:core/"));
  Object.defineProperty(error, "stack", {
    value: [
      error.stack,
      `    --- in ${peer}, called by ${method ?? "a function"}() here: ---`,
      ...frames,
    ].join("\n"),
    writable: true,
    configurable: true,
    enumerable: false,
  });
  throw error;
}

/** Returns the error of a call for which a connection's end is the reason. */
export function closeError(
  reason: CloseReason,
  method: string | undefined,
): Error {
  return typeof reason === "function" ? reason(method) : reason;
}

/**
 * Rejects a call that was made after the end of the connection. The caller may
 * ignore the failure: it is never an unhandled rejection.
 */
export function refusedCall(
  reason: CloseReason,
  method: string | undefined,
): Promise<never> {
  const error = closeError(reason, method);
  const promise = Promise.reject(
    error instanceof ConnectionClosedError
      ? error
      : new ConnectionClosedError(error.message, { cause: error }),
  );
  promise.catch(() => {});
  return promise;
}
