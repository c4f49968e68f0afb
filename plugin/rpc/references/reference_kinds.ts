// How each kind of value is exported and imported by reference: functions,
// objects, signals and the two kinds of streams.

import type { CallOptions } from "../outgoing_calls.ts";
import { ConnectionClosedError } from "../protocol.ts";
import { type ReferenceKind, serializableReason } from "../value_kind.ts";
import {
  classNameOf,
  memberNames,
  readableFields,
  textOf,
} from "./object_members.ts";
import { remoteFunction, type StubFactory } from "./remote_object.ts";
import { remoteSignal } from "./remote_signal.ts";
import { importReadable, ReadableSource } from "./readable_stream.ts";
import type { StreamCall } from "./stream_call.ts";
import { importWritable, WritableSink } from "./writable_stream.ts";

/** Encodes a value inside of a description. */
export type EncodeNested = (value: unknown) => unknown;

/** Decodes what {@linkcode EncodeNested} returned. */
export type DecodeNested = (document: unknown) => unknown;

/** What the peer may call of an exported value. */
export interface Exported {
  /** The object that is called; for a stream, its reader or writer. */
  readonly target: object;
  /** The names of the methods that may be called. */
  readonly methods: ReadonlySet<string>;
  /** Frees what only the reference needed. Called when it is released. */
  dispose?(reason: unknown): void;
}

/** What the import of a value needs of the import table. */
export interface ImportContext {
  /** The name of the peer, for errors. */
  readonly peer: string;
  /** Whether writes succeed once the connection is closed. */
  readonly dropsLateWrites: boolean;
  /** Makes the stubs of objects. */
  readonly stubs: StubFactory;
  /** Calls the reference. */
  call(
    method: string | undefined,
    args: unknown[],
    options?: CallOptions,
  ): Promise<unknown>;
  /** Called when a signal gets its first listener, and when it has none left. */
  onListening(isListening: boolean): void;
}

/** The value that stands for one of the peer. */
export interface Imported {
  readonly value: object;
  /** Aborts the value, if it is a signal. */
  abort?(reason: unknown): void;
}

/** One kind of value. */
interface Strategy<Value extends object> {
  /** Whether it counts as an open stream. */
  readonly isStream?: boolean;
  /** Whether only its first occurrence in a message is described. */
  readonly isDescribedOnce?: boolean;
  /** Encodes a value without a reference; returns undefined where it needs one. */
  encodeByValue?(
    value: Value,
    encodeNested: EncodeNested,
  ): Record<string, unknown> | undefined;
  /** Decodes a value without a reference. */
  decodeByValue?(
    description: Record<string, unknown>,
    decodeNested: DecodeNested,
  ): Value;
  /**
   * Makes a value callable by the peer.
   *
   * @param value The value.
   * @param notifyAbort Notifies the peer that a signal was aborted.
   */
  export(value: Value, notifyAbort: (reason: unknown) => void): Exported;
  /** Describes a value, beside its reference. */
  describe?(
    value: Value,
    methods: ReadonlySet<string>,
    encodeNested: EncodeNested,
  ): Record<string, unknown>;
  /** Makes the value that stands for one of the peer. */
  import(
    description: Record<string, unknown>,
    context: ImportContext,
  ): Imported;
  /** Applies a description to a value that has been imported. */
  update?(
    value: object,
    description: Record<string, unknown>,
    stubs: StubFactory,
    decodeNested: DecodeNested,
  ): void;
}

const NO_METHODS: ReadonlySet<string> = new Set();

/** The reads and writes of a stream are made here, not in an author's code. */
const STREAM_CALL: CallOptions = { captureStack: false };

const functions: Strategy<(...args: unknown[]) => unknown> = {
  export: (value) => ({ target: value, methods: NO_METHODS }),
  describe({ name }): Record<string, unknown> {
    return typeof name === "string" && name !== "" ? { name } : {};
  },
  import: ({ name }, { call }) => ({
    value: remoteFunction(name, (args) => call(undefined, args)),
  }),
};

const objects: Strategy<object> = {
  isDescribedOnce: true,
  export: (value) => ({
    target: value,
    methods: memberNames(value).methods,
  }),
  describe(value, methods, encodeNested) {
    const description: Record<string, unknown> = {
      class: classNameOf(value),
      methods: [...methods],
      fields: encodeNested(readableFields(value)),
    };
    const text = textOf(value);
    if (text !== undefined) description.text = text;
    return description;
  },
  import: (description, { stubs }) => ({ value: stubs.create(description) }),
  update(value, { fields }, stubs, decodeNested) {
    if (fields !== undefined) stubs.setFields(value, decodeNested(fields));
  },
};

const signals: Strategy<AbortSignal> = {
  encodeByValue({ aborted, reason }, encodeNested) {
    return aborted
      ? { aborted: encodeNested(serializableReason(reason)) }
      : undefined;
  },
  decodeByValue: ({ aborted }, decodeNested) =>
    AbortSignal.abort(decodeNested(aborted)),
  export(signal, notifyAbort) {
    const onAbort = () => notifyAbort(serializableReason(signal.reason));
    signal.addEventListener("abort", onAbort, { once: true });
    return {
      target: signal,
      methods: NO_METHODS,
      dispose: () => signal.removeEventListener("abort", onAbort),
    };
  },
  import(_description, { onListening }) {
    const controller = remoteSignal(onListening);
    return {
      value: controller.signal,
      abort: (reason) => controller.abort(reason),
    };
  },
};

const readables: Strategy<ReadableStream> = {
  isStream: true,
  export(value) {
    const source = new ReadableSource(value);
    return {
      target: source,
      methods: ReadableSource.methods,
      dispose: (reason) => source.dispose(reason),
    };
  },
  import: (_description, context) => ({
    value: importReadable(streamCall(context), context.peer),
  }),
};

const writables: Strategy<WritableStream> = {
  isStream: true,
  export(value) {
    const sink = new WritableSink(value);
    return {
      target: sink,
      methods: WritableSink.methods,
      dispose: (reason) => sink.dispose(reason),
    };
  },
  import: (_description, context) => ({
    value: importWritable(streamCall(context)),
  }),
};

/** The strategy of each kind. */
export const REFERENCE_KINDS = {
  function: functions,
  object: objects,
  signal: signals,
  readable: readables,
  writable: writables,
} as Readonly<Record<ReferenceKind, Strategy<object>>>;

/**
 * Returns the function that makes the calls of a stream. With `dropsLateWrites`,
 * calls other than reads succeed when the connection closes before they are
 * answered; a read fails, since a stream that was cut off has not ended.
 */
function streamCall({ call, dropsLateWrites }: ImportContext): StreamCall {
  if (!dropsLateWrites) {
    return (method, args, options = STREAM_CALL) => call(method, args, options);
  }
  const ignoreClosed = (error: unknown) => {
    if (!(error instanceof ConnectionClosedError)) throw error;
  };
  return (method, args, options = STREAM_CALL) => {
    const result = call(method, args, options);
    return method === "read" ? result : result.catch(ignoreClosed);
  };
}
