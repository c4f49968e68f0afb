// References: what of ours the other side may call, what of theirs we hold,
// and how each is let go of once it is no longer needed.

import { type Kind, serializableReason } from "../value_kind.ts";
import {
  ConnectionClosedError,
  describeValue,
  excerpt,
  type Limits,
  ProtocolError,
  withoutStack,
} from "../protocol.ts";
import {
  classNameOf,
  createStubFactory,
  memberNames,
  readableFields,
  remoteFunction,
  type RemoteObjects,
  textOf,
} from "./remote_object.ts";
import { remoteSignal } from "./remote_signal.ts";
import type { CallOptions } from "../outgoing_calls.ts";
import {
  importReadable,
  importWritable,
  ReadableSource,
  type StreamCall,
  WritableSink,
} from "./streams.ts";

/** The kinds of value that go by reference. */
export type ReferenceKind = Extract<
  Kind,
  "function" | "object" | "signal" | "readable" | "writable"
>;

/** What references need of the connection that they belong to. */
export interface Peer {
  /** Who it is, for errors. */
  readonly name: string;
  /** Whether writes to its streams succeed once the connection has ended. */
  readonly dropsLateWrites?: boolean;
  /** Calls a reference of theirs. */
  call(
    ref: number,
    method: string | undefined,
    args: unknown[],
    options: CallOptions,
  ): Promise<unknown>;
  /** Tells them that we hold a reference of theirs no longer. */
  release(ref: number, count: number): void;
  /** Tells them that a signal of ours has been aborted. */
  abort(ref: number, reason: unknown): void;
}

/** Something of ours that they may call. */
interface Export {
  kind: ReferenceKind;
  /** What comes back when they send the reference home. */
  value: object;
  /** What is called; for a stream, its reader or writer. */
  target: object;
  /** The names that may be called. */
  methods: ReadonlySet<string>;
  /** In how many messages it was sent, less those that were released. */
  count: number;
  /** Frees what the reference alone needed. */
  dispose?: (reason: unknown) => void;
}

/** Something of theirs that we hold. */
interface Import {
  kind: ReferenceKind;
  value: WeakRef<object>;
  /** Set while a signal must live even though nobody here holds it. */
  strong: object | undefined;
  /** Why it must: the calls in flight that it was given to, and who listens. */
  needed: number;
  /** In how many messages it came. */
  count: number;
}

/** What one message has had to do with references so far. */
interface MessageScope {
  /** The references, ours or theirs, that are counted for it already. */
  counted: Set<number>;
  /** Our objects that are described in it already. */
  described: Set<number>;
  /** Their signals that came in it. */
  signals: number[];
}

/** Where a value came from that stands for something of the other side. */
interface Origin {
  references: References;
  ref: number;
  controller?: AbortController;
}
const origins = new WeakMap<object, Origin>();

const STREAM_CALL: CallOptions = { captureStack: false };

const FUNCTION_METHODS: ReadonlySet<string> = new Set();

/** The references of one connection. */
export class References {
  readonly #peer: Peer;
  readonly #limits: Limits;
  readonly #exports = new Map<number, Export>();
  readonly #ids = new Map<object, number>();
  readonly #imports = new Map<number, Import>();
  readonly #uses: MessageScope[] = [];
  readonly #remote: RemoteObjects;
  readonly #registry = new FinalizationRegistry<number>((ref) => {
    const entry = this.#imports.get(ref);
    if (entry !== undefined && entry.value.deref() === undefined) {
      this.#drop(ref, entry);
    }
  });
  #lastId = 0;
  #closed = false;

  /** How many of what we hold are streams. */
  #streams = 0;

  constructor(peer: Peer, limits: Limits) {
    this.#peer = peer;
    this.#limits = limits;
    this.#remote = createStubFactory(
      (object, method, args) => {
        const origin = origins.get(object);
        if (origin === undefined) {
          throw new TypeError(`${method}() was called without its object`);
        }
        return origin.references.#call(origin.ref, method, args);
      },
      (object) => this.release(object),
    );
  }

  /** How many references of ours the other side holds. */
  get exported(): number {
    return this.#exports.size;
  }

  /** How many references of theirs we hold. */
  get imported(): number {
    return this.#imports.size;
  }

  /** Starts the account of one message; they nest. */
  beginMessage(): void {
    this.#uses.push({
      counted: new Set(),
      described: new Set(),
      signals: [],
    });
  }

  /**
   * Closes the account of a message that was sent or received.
   *
   * @returns Their signals that came in it, and whether anything of theirs or
   * ours went by reference.
   */
  commitMessage(): { signals: number[]; hasReferences: boolean } {
    const { signals, counted } = this.#uses.pop()!;
    return { signals, hasReferences: counted.size > 0 };
  }

  /** Undoes the account of a message that was not sent after all. */
  rollBackMessage(): void {
    for (const ref of this.#uses.pop()!.counted) this.handleRelease(ref, 1);
  }

  get #use(): MessageScope {
    return this.#uses[this.#uses.length - 1]!;
  }

  // Ours.

  /** What a value of ours is sent as. */
  exportValue(
    kind: ReferenceKind,
    value: object,
    nested: (value: unknown) => unknown,
  ): Record<string, unknown> {
    if (kind === "signal" && (value as AbortSignal).aborted) {
      return {
        aborted: nested(serializableReason((value as AbortSignal).reason)),
      };
    }
    const ref = this.#export(kind, value);
    if (kind === "function") {
      const name = (value as { name?: unknown }).name;
      return typeof name === "string" && name !== "" ? { ref, name } : { ref };
    }
    if (kind !== "object" || this.#use.described.has(ref)) return { ref };
    this.#use.described.add(ref);
    const { methods } = this.#exports.get(ref)!;
    const record: Record<string, unknown> = {
      ref,
      class: classNameOf(value),
      methods: [...methods],
      fields: nested(readableFields(value)),
    };
    const text = textOf(value);
    if (text !== undefined) record.text = text;
    return record;
  }

  #export(kind: ReferenceKind, value: object): number {
    if (this.#closed) throw new Error("the connection has ended");
    let ref = this.#ids.get(value);
    if (ref === undefined) {
      if (this.#exports.size >= this.#limits.references) {
        throw new RangeError(
          `${this.#peer.name} holds ${this.#limits.references} references, and is given no more`,
        );
      }
      ref = ++this.#lastId;
      this.#ids.set(value, ref);
      this.#exports.set(ref, this.#exportOf(kind, value, ref));
    }
    if (!this.#use.counted.has(ref)) {
      this.#use.counted.add(ref);
      this.#exports.get(ref)!.count++;
    }
    return ref;
  }

  #exportOf(kind: ReferenceKind, value: object, ref: number): Export {
    const entry = { kind, value, count: 0 };
    switch (kind) {
      case "object":
        return { ...entry, target: value, methods: memberNames(value).methods };
      case "readable": {
        const source = new ReadableSource(value as ReadableStream);
        return {
          ...entry,
          target: source,
          methods: ReadableSource.methods,
          dispose: (reason) => source.dispose(reason),
        };
      }
      case "writable": {
        const sink = new WritableSink(value as WritableStream);
        return {
          ...entry,
          target: sink,
          methods: WritableSink.methods,
          dispose: (reason) => sink.dispose(reason),
        };
      }
      case "signal": {
        const signal = value as AbortSignal;
        const tell = () =>
          this.#peer.abort(ref, serializableReason(signal.reason));
        signal.addEventListener("abort", tell, { once: true });
        return {
          ...entry,
          target: value,
          methods: FUNCTION_METHODS,
          dispose: () => signal.removeEventListener("abort", tell),
        };
      }
      case "function":
        return { ...entry, target: value, methods: FUNCTION_METHODS };
    }
  }

  /** The very thing of ours that a reference stands for. */
  exportedValue(ref: unknown): object {
    const entry = this.#exports.get(ref as number);
    if (entry === undefined) {
      throw new ProtocolError(`there is no reference ${describeValue(ref)}`);
    }
    return entry.value;
  }

  /**
   * Calls something of ours, as the other side asked.
   *
   * @throws {Error} When there is no such reference, or method of it.
   */
  invoke(ref: number, method: string | undefined, args: unknown[]): unknown {
    const entry = this.#exports.get(ref);
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
   * Takes back a reference that the other side no longer holds.
   *
   * @throws {ProtocolError} When it was not sent that often.
   */
  handleRelease(ref: number, count: number): void {
    const entry = this.#exports.get(ref);
    if (entry === undefined || count > entry.count) {
      throw new ProtocolError(
        `reference ${ref} is released more often than it was sent`,
      );
    }
    entry.count -= count;
    if (entry.count > 0) return;
    this.#exports.delete(ref);
    this.#ids.delete(entry.value);
    entry.dispose?.(new Error("the other side dropped the stream"));
  }

  // Theirs.

  /** Whether a value stands for something of the other side of this connection. */
  isImported(value: object): boolean {
    return origins.get(value)?.references === this;
  }

  /** The number that the other side gave to something of theirs. */
  remoteId(value: object): number {
    return origins.get(value)!.ref;
  }

  /**
   * The value that stands here for something of theirs.
   *
   * @throws {ProtocolError} When the record is not what its kind has.
   */
  importValue(
    kind: ReferenceKind,
    record: unknown,
    nestedValue: (document: unknown) => unknown,
  ): object {
    if (typeof record !== "object" || record === null) {
      throw new ProtocolError(`a ${kind} is not described by an object`);
    }
    const { ref, ...rest } = record as Record<string, unknown>;
    if (kind === "signal" && ref === undefined) {
      return AbortSignal.abort(nestedValue(rest.aborted));
    }
    if (!Number.isSafeInteger(ref) || (ref as number) <= 0) {
      throw new ProtocolError(`a ${kind} has no reference`);
    }
    const value = this.#import(kind, ref as number, rest);
    if (kind === "object" && rest.fields !== undefined) {
      this.#remote.setFields(value, nestedValue(rest.fields));
    }
    return value;
  }

  #import(
    kind: ReferenceKind,
    ref: number,
    record: Record<string, unknown>,
  ): object {
    let entry = this.#imports.get(ref);
    if (entry !== undefined && entry.kind !== kind) {
      throw new ProtocolError(
        `reference ${ref} is a ${entry.kind} and a ${kind} at once`,
      );
    }
    let value = entry?.value.deref();
    if (value === undefined) {
      value = this.#importOf(kind, ref, record);
      this.#registry.register(value, ref, value);
      const weak = new WeakRef(value);
      if (entry === undefined) {
        this.#checkRoom(kind);
        entry = { kind, value: weak, strong: undefined, needed: 0, count: 0 };
        this.#imports.set(ref, entry);
      } else entry.value = weak;
    }
    if (kind === "signal") this.#use.signals.push(ref);
    if (!this.#use.counted.has(ref)) {
      this.#use.counted.add(ref);
      entry!.count++;
    }
    return value;
  }

  #checkRoom(kind: ReferenceKind): void {
    const { references, streams } = this.#limits;
    if (this.#imports.size >= references) {
      throw new ProtocolError(`more than ${references} references are held`);
    }
    if (isStream(kind) && ++this.#streams > streams) {
      throw new ProtocolError(`more than ${streams} streams are open`);
    }
  }

  #importOf(
    kind: ReferenceKind,
    ref: number,
    record: Record<string, unknown>,
  ): object {
    const origin: Origin = { references: this, ref };
    let value: object;
    const call = (method: string | undefined, args: unknown[]) =>
      this.#call(ref, method, args);
    // Nobody has written down the calls that a stream is read and written with.
    const callOfStream: StreamCall = (method, args, options = STREAM_CALL) =>
      this.#call(ref, method, args, options);
    switch (kind) {
      case "function":
        value = remoteFunction(record.name, (args) => call(undefined, args));
        break;
      case "object":
        value = this.#remote.create(record);
        break;
      case "signal":
        origin.controller = remoteSignal((isHeard) =>
          this.#need(ref, isHeard ? 1 : -1)
        );
        value = origin.controller.signal;
        break;
      case "readable":
        value = importReadable(
          this.#lateCallsDropped(callOfStream),
          this.#peer.name,
        );
        break;
      case "writable":
        value = importWritable(this.#lateCallsDropped(callOfStream));
        break;
    }
    origins.set(value, origin);
    return value;
  }

  /**
   * Lets a stream's calls succeed when the connection ends before they are
   * answered, except its reads: a stream that is cut short is not at its end.
   */
  #lateCallsDropped(call: StreamCall): StreamCall {
    if (!this.#peer.dropsLateWrites) return call;
    const dropClosed = (error: unknown) => {
      if (!(error instanceof ConnectionClosedError)) throw error;
    };
    return (method, args, options) => {
      const answer = call(method, args, options);
      return method === "read" ? answer : answer.catch(dropClosed);
    };
  }

  #call(
    ref: number,
    method: string | undefined,
    args: unknown[],
    options: CallOptions = {},
  ): Promise<unknown> {
    if (!this.#closed && !this.#imports.has(ref)) {
      return Promise.reject(
        new ReferenceError(`${method ?? "the function"} was released`),
      );
    }
    return this.#peer.call(ref, method, args, options);
  }

  /** Aborts the signal that stands here for one of theirs. */
  handleAbort(ref: number, reason: unknown): void {
    // One that is not there was released while the message was on its way.
    const value = this.#imports.get(ref)?.value.deref();
    if (value === undefined) return;
    const { controller } = origins.get(value)!;
    if (controller === undefined) {
      throw new ProtocolError(`reference ${ref} is aborted but no signal`);
    }
    controller.abort(reason);
  }

  /**
   * Lets signals live until {@linkcode releaseSignals}, for a call that they
   * were given to: listeners on a signal do not keep it alive.
   */
  retainSignals(refs: number[]): void {
    for (const ref of refs) this.#need(ref, 1);
  }

  /** Lets signals go as soon as nobody here holds or hears them. */
  releaseSignals(refs: number[]): void {
    for (const ref of refs) this.#need(ref, -1);
  }

  #need(ref: number, change: 1 | -1): void {
    const entry = this.#imports.get(ref);
    if (entry === undefined) return;
    entry.needed += change;
    entry.strong = entry.needed > 0 ? entry.value.deref() : undefined;
  }

  /** Lets go at once of something of theirs. */
  release(value: object): void {
    const ref = origins.get(value)?.ref;
    const entry = ref === undefined ? undefined : this.#imports.get(ref);
    if (entry === undefined || entry.value.deref() !== value) return;
    this.#registry.unregister(value);
    this.#drop(ref!, entry);
  }

  #drop(ref: number, entry: Import): void {
    this.#imports.delete(ref);
    if (isStream(entry.kind)) this.#streams--;
    if (!this.#closed) this.#peer.release(ref, entry.count);
  }

  /** Ends all references, with the connection. */
  close(reason: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const entry of this.#imports.values()) {
      const value = entry.value.deref();
      if (value !== undefined) origins.get(value)!.controller?.abort(reason);
    }
    this.#imports.clear();
    for (const entry of this.#exports.values()) entry.dispose?.(reason);
    this.#exports.clear();
    this.#ids.clear();
  }
}

function isStream(kind: ReferenceKind): boolean {
  return kind === "readable" || kind === "writable";
}
