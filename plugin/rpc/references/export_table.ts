// The export table: objects, functions, signals and streams of this side that
// the peer holds references to. An entry lives until the peer has released the
// reference as often as it was sent.

import type { ReferenceKind } from "../value_kind.ts";
import {
  describeValue,
  excerpt,
  type Limits,
  ProtocolError,
  withoutStack,
} from "../protocol.ts";
import type { MessageScope } from "./message_scope.ts";
import {
  type EncodeNested,
  type Exported,
  REFERENCE_KINDS,
} from "./reference_kinds.ts";
import { classNameOf } from "./object_members.ts";

/** What the export table needs of its connection. */
export interface ExportPeer {
  /** The name of the peer, for errors. */
  readonly name: string;
  /** Notifies the peer that a signal of this side has been aborted. */
  abort(ref: number, reason: unknown): void;
}

/** A value of this side that the peer may call. */
interface Export extends Exported {
  readonly kind: ReferenceKind;
  /** The value, which is also what the reference means when the peer sends it back. */
  readonly value: object;
  /** In how many messages it was sent, less those that were released. */
  count: number;
}

/** The references of this side that the peer holds. */
export class ExportTable {
  readonly #peer: ExportPeer;
  readonly #limits: Limits;
  readonly #entries = new Map<number, Export>();
  readonly #refs = new Map<object, number>();
  #lastRef = 0;
  #isClosed = false;

  /**
   * @param peer The peer.
   * @param limits How many references it may hold.
   */
  constructor(peer: ExportPeer, limits: Limits) {
    this.#peer = peer;
    this.#limits = limits;
  }

  /** How many references the peer holds. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Encodes a value by reference.
   *
   * @param kind The kind of the value.
   * @param value The value.
   * @param scope The message that it is part of.
   * @param encodeNested Encodes values inside of it.
   * @returns What stands for it in the message.
   * @throws {RangeError} When the peer holds too many references.
   */
  exportValue(
    kind: ReferenceKind,
    value: object,
    scope: MessageScope,
    encodeNested: EncodeNested,
  ): Record<string, unknown> {
    const { encodeByValue, describe, isDescribedOnce } = REFERENCE_KINDS[kind];
    const byValue = encodeByValue?.(value, encodeNested);
    if (byValue !== undefined) return byValue;
    const ref = this.#add(kind, value, scope);
    // Noted before the description is made, which may contain the value again.
    if (describe === undefined || (isDescribedOnce && !scope.describe(ref))) {
      return { ref };
    }
    const { methods } = this.#entries.get(ref)!;
    return { ref, ...describe(value, methods, encodeNested) };
  }

  /** Returns the reference of a value, counted once in a message. */
  #add(kind: ReferenceKind, value: object, scope: MessageScope): number {
    if (this.#isClosed) throw new Error("the connection is closed");
    let ref = this.#refs.get(value);
    if (ref === undefined) {
      if (this.#entries.size >= this.#limits.references) {
        throw new RangeError(
          `${this.#peer.name} holds ${this.#limits.references} references, which is the limit`,
        );
      }
      ref = ++this.#lastRef;
      this.#refs.set(value, ref);
      this.#entries.set(ref, {
        ...REFERENCE_KINDS[kind].export(
          value,
          (reason) => this.#peer.abort(ref!, reason),
        ),
        kind,
        value,
        count: 0,
      });
    }
    if (scope.add(ref)) this.#entries.get(ref)!.count++;
    return ref;
  }

  /**
   * Returns the value that a reference stands for.
   *
   * @param ref The reference, as the peer sent it.
   * @throws {ProtocolError} When there is no such reference.
   */
  exportedValue(ref: unknown): object {
    const entry = this.#entries.get(ref as number);
    if (entry === undefined) {
      throw new ProtocolError(`there is no reference ${describeValue(ref)}`);
    }
    return entry.value;
  }

  /**
   * Calls a value of this side for the peer.
   *
   * @throws {Error} When there is no such reference or method.
   */
  invoke(ref: number, method: string | undefined, args: unknown[]): unknown {
    const entry = this.#entries.get(ref);
    if (entry === undefined) {
      throw withoutStack(ReferenceError, `there is no reference ${ref}`);
    }
    if (method === undefined && entry.kind === "function") {
      return (entry.target as (...args: unknown[]) => unknown)(...args);
    }
    if (method === undefined || !entry.methods.has(method)) {
      const what = entry.kind === "object"
        ? classNameOf(entry.value)
        : `a ${entry.kind}`;
      throw withoutStack(
        TypeError,
        method === undefined
          ? `${what} is not a function`
          : `${what} has no method ${excerpt(method)}`,
      );
    }
    return (entry.target as Record<string, (...args: unknown[]) => unknown>)[
      method
    ]!(...args);
  }

  /**
   * Releases a reference that the peer no longer holds.
   *
   * @param ref The reference.
   * @param count How many of the messages that contained it are accounted for.
   * @throws {ProtocolError} When it was not sent that often.
   */
  handleRelease(ref: number, count: number): void {
    const entry = this.#entries.get(ref);
    if (entry === undefined || count > entry.count) {
      throw new ProtocolError(
        `reference ${ref} is released more often than it was sent`,
      );
    }
    entry.count -= count;
    if (entry.count > 0) return;
    this.#entries.delete(ref);
    this.#refs.delete(entry.value);
    entry.dispose?.(new Error("the reader or writer released the stream"));
  }

  /** Takes back the references of a message that was not sent. */
  rollBack(scope: MessageScope): void {
    for (const ref of scope.references) this.handleRelease(ref, 1);
  }

  /** Removes all references when the connection closes. */
  close(reason: Error): void {
    this.#isClosed = true;
    for (const entry of this.#entries.values()) entry.dispose?.(reason);
    this.#entries.clear();
    this.#refs.clear();
  }
}
