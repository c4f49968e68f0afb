// The import table: the peer's objects, functions, signals and streams that this
// side holds references to. A reference is released when the value that stands
// for it here is disposed of or garbage-collected.

import type { CallOptions } from "../outgoing_calls.ts";
import { type Limits, ProtocolError } from "../protocol.ts";
import type { ReferenceKind } from "../value_kind.ts";
import type { MessageScope } from "./message_scope.ts";
import { type DecodeNested, REFERENCE_KINDS } from "./reference_kinds.ts";
import { createStubFactory, type StubFactory } from "./remote_object.ts";

/** What the import table needs of its connection. */
export interface ImportPeer {
  /** The name of the peer, for errors. */
  readonly name: string;
  /** Whether writes to its streams succeed once the connection is closed. */
  readonly dropsLateWrites: boolean;
  /** Calls a reference of the peer. */
  call(
    ref: number,
    method: string | undefined,
    args: unknown[],
    options: CallOptions,
  ): Promise<unknown>;
  /** Notifies the peer that a reference is no longer held. */
  release(ref: number, count: number): void;
}

/** A value of the peer that this side holds. */
interface Import {
  readonly kind: ReferenceKind;
  value: WeakRef<object>;
  /** Set while a signal must live although nothing here holds it. */
  strong: object | undefined;
  /** How many calls in flight and listeners need the signal. */
  needed: number;
  /** In how many messages it came. */
  count: number;
}

/** Where a value that stands for one of a peer came from. */
interface Origin {
  readonly table: ImportTable;
  readonly ref: number;
  /** Aborts a signal. */
  readonly abort: ((reason: unknown) => void) | undefined;
}

const origins = new WeakMap<object, Origin>();

/** The peer's references that this side holds. */
export class ImportTable {
  readonly #peer: ImportPeer;
  readonly #limits: Limits;
  readonly #entries = new Map<number, Import>();
  readonly #stubs: StubFactory;
  readonly #collected = new FinalizationRegistry<number>((ref) => {
    const entry = this.#entries.get(ref);
    if (entry !== undefined && entry.value.deref() === undefined) {
      this.#remove(ref, entry);
    }
  });
  /** How many of the entries are streams. */
  #streams = 0;
  #isClosed = false;

  /**
   * @param peer The peer.
   * @param limits How many references of it are accepted.
   */
  constructor(peer: ImportPeer, limits: Limits) {
    this.#peer = peer;
    this.#limits = limits;
    this.#stubs = createStubFactory(
      (object, method, args) => {
        const origin = origins.get(object);
        if (origin === undefined) {
          throw new TypeError(`${method}() was called without its object`);
        }
        return origin.table.#call(origin.ref, method, args, {});
      },
      (object) => this.release(object),
    );
  }

  /** How many references of the peer are held. */
  get size(): number {
    return this.#entries.size;
  }

  /** Whether a value stands for one of this connection's peer. */
  has(value: object): boolean {
    return origins.get(value)?.table === this;
  }

  /** Returns the peer's number of a value for which {@linkcode ImportTable.has} is true. */
  refOf(value: object): number {
    return origins.get(value)!.ref;
  }

  /**
   * Decodes a value that was sent by reference.
   *
   * @param kind The kind of the value.
   * @param record What stands for it in the message.
   * @param scope The message that it is part of.
   * @param decodeNested Decodes values inside of it.
   * @throws {ProtocolError} When the record is invalid for its kind.
   */
  importValue(
    kind: ReferenceKind,
    record: Record<string, unknown>,
    scope: MessageScope,
    decodeNested: DecodeNested,
  ): object {
    const { decodeByValue, update } = REFERENCE_KINDS[kind];
    const { ref, ...description } = record;
    if (ref === undefined && decodeByValue !== undefined) {
      return decodeByValue(description, decodeNested);
    }
    if (!Number.isSafeInteger(ref) || (ref as number) <= 0) {
      throw new ProtocolError(`invalid ${kind}: it has no reference`);
    }
    const value = this.#add(kind, ref as number, description, scope);
    update?.(value, description, this.#stubs, decodeNested);
    return value;
  }

  /** Returns the value of a reference, counted once in a message. */
  #add(
    kind: ReferenceKind,
    ref: number,
    description: Record<string, unknown>,
    scope: MessageScope,
  ): object {
    let entry = this.#entries.get(ref);
    if (entry !== undefined && entry.kind !== kind) {
      throw new ProtocolError(
        `reference ${ref} is sent as a ${kind}, and was sent as a ${entry.kind}`,
      );
    }
    let value = entry?.value.deref();
    if (value === undefined) {
      value = this.#create(kind, ref, description);
      this.#collected.register(value, ref, value);
      const weak = new WeakRef(value);
      if (entry === undefined) {
        this.#checkLimits(kind);
        entry = { kind, value: weak, strong: undefined, needed: 0, count: 0 };
        this.#entries.set(ref, entry);
      } else entry.value = weak;
    }
    if (kind === "signal") scope.addSignal(ref);
    if (scope.add(ref)) entry!.count++;
    return value;
  }

  #checkLimits(kind: ReferenceKind): void {
    const { references, streams } = this.#limits;
    if (this.#entries.size >= references) {
      throw new ProtocolError(`more than ${references} references are held`);
    }
    if (REFERENCE_KINDS[kind].isStream && ++this.#streams > streams) {
      throw new ProtocolError(`more than ${streams} streams are open`);
    }
  }

  #create(
    kind: ReferenceKind,
    ref: number,
    description: Record<string, unknown>,
  ): object {
    const { value, abort } = REFERENCE_KINDS[kind].import(description, {
      peer: this.#peer.name,
      dropsLateWrites: this.#peer.dropsLateWrites,
      stubs: this.#stubs,
      call: (method, args, options = {}) =>
        this.#call(ref, method, args, options),
      onListening: (isListening) => this.#need(ref, isListening ? 1 : -1),
    });
    origins.set(value, { table: this, ref, abort });
    return value;
  }

  #call(
    ref: number,
    method: string | undefined,
    args: unknown[],
    options: CallOptions,
  ): Promise<unknown> {
    if (!this.#isClosed && !this.#entries.has(ref)) {
      return Promise.reject(
        new ReferenceError(`${method ?? "the function"} was released`),
      );
    }
    return this.#peer.call(ref, method, args, options);
  }

  /**
   * Aborts the local copy of a signal of the peer.
   *
   * @throws {ProtocolError} When the reference is of another kind.
   */
  handleAbort(ref: number, reason: unknown): void {
    // A missing one was released while the message was in flight.
    const value = this.#entries.get(ref)?.value.deref();
    if (value === undefined) return;
    const { abort } = origins.get(value)!;
    if (abort === undefined) {
      throw new ProtocolError(
        `invalid abort: reference ${ref} is not a signal`,
      );
    }
    abort(reason);
  }

  /**
   * Keeps signals alive until {@linkcode ImportTable.releaseSignals}, for a call
   * that got them as arguments: listeners do not keep a signal alive.
   */
  retainSignals(refs: readonly number[]): void {
    for (const ref of refs) this.#need(ref, 1);
  }

  /** Makes signals collectable again once nothing here holds them or listens. */
  releaseSignals(refs: readonly number[]): void {
    for (const ref of refs) this.#need(ref, -1);
  }

  #need(ref: number, change: 1 | -1): void {
    const entry = this.#entries.get(ref);
    if (entry === undefined) return;
    entry.needed += change;
    entry.strong = entry.needed > 0 ? entry.value.deref() : undefined;
  }

  /** Releases a value of the peer at once, as its `[Symbol.dispose]()` does. */
  release(value: object): void {
    const ref = origins.get(value)?.ref;
    const entry = ref === undefined ? undefined : this.#entries.get(ref);
    if (entry === undefined || entry.value.deref() !== value) return;
    this.#collected.unregister(value);
    this.#remove(ref!, entry);
  }

  #remove(ref: number, entry: Import): void {
    this.#entries.delete(ref);
    if (REFERENCE_KINDS[entry.kind].isStream) this.#streams--;
    if (!this.#isClosed) this.#peer.release(ref, entry.count);
  }

  /** Aborts the signals and removes all references when the connection closes. */
  close(reason: Error): void {
    this.#isClosed = true;
    for (const entry of this.#entries.values()) {
      const value = entry.value.deref();
      if (value !== undefined) origins.get(value)!.abort?.(reason);
    }
    this.#entries.clear();
  }
}
