// The codec turns messages into lines and back: superjson's format throughout,
// with a custom annotation for each thing that superjson has no notion of.

import { SuperJSON } from "superjson";
import { bufferBytes, BufferReader, bufferType } from "./typed_arrays.ts";
import { errorFromRecord, errorToRecord } from "./error_record.ts";
import type { Frame } from "./frame_reader.ts";
import {
  isPlainObject,
  isSendable,
  type Kind,
  type ReferenceKind,
  valueKind,
} from "./value_kind.ts";
import {
  applyMeta,
  type ReadCustom,
  type ReadOptions,
} from "./superjson_decoder.ts";
import { isDeeperThan, tooDeep } from "./json_depth.ts";
import {
  DEFAULT_LIMITS,
  describeValue,
  excerpt,
  ProtocolError,
} from "./protocol.ts";
import { CostError, MAX_VALUES, MessageCost } from "./message_cost.ts";
import { renameKeys, restoreKeys } from "./renamed_keys.ts";
import { MessageScope } from "./references/message_scope.ts";
import type { References } from "./references/references.ts";
import { SizeCounter } from "./written_size.ts";
import { type Document, encodeTree } from "./superjson_encoder.ts";

/** A message ready for the wire. */
export interface Encoded {
  /** The line, without its end. */
  line: string;
  /** The raw bytes that go behind it. */
  bytes: Uint8Array[];
}

/** What is being written right now; superjson's transformers are global. */
interface Pass {
  references: References;
  /** The references in the message. */
  scope: MessageScope;
  /** The message itself, which is not a value of anybody's. */
  message: object;
  bytes: Uint8Array[];
  /** Raw bytes that are in the message already, by value: one value, one index. */
  indexes: Map<object, number>;
  /** What reading the message will cost the other side. */
  cost: MessageCost;
  /** How many values the documents inside of the message have. */
  nestedValues: number;
}
let encoding: Pass | undefined;

function newPass(message: object, references: References): Pass {
  return {
    references,
    scope: new MessageScope(),
    message,
    bytes: [],
    indexes: new Map(),
    cost: new MessageCost(),
    nestedValues: 0,
  };
}

function current(): Pass {
  if (encoding === undefined) throw new Error("no message is being written");
  return encoding;
}

/** superjson asks one transformer after the other about the same value. */
let kindCache: { value: unknown; kind: Kind | "yours" | undefined } = {
  value: undefined,
  kind: undefined,
};

function kindHere(value: unknown): Kind | "yours" | undefined {
  if (kindCache.value === value) return kindCache.kind;
  const { message, references, cost } = current();
  if (typeof value === "bigint") cost.bigint(value.toString().length);
  else if (value instanceof RegExp) cost.pattern(`${value}`);
  let kind: Kind | "yours" | undefined = value === message
    ? undefined
    : valueKind(value);
  if (kind !== undefined && references.imports.has(value as object)) {
    kind = "yours";
  }
  if (kind !== undefined) countKind(kind, cost);
  kindCache = { value, kind };
  return kind;
}

function countKind(kind: Kind | "yours", cost: MessageCost): void {
  if (kind === "error") cost.error();
  else if (
    kind !== "bytes" && kind !== "buffer" && kind !== "unsendable"
  ) cost.reference();
}

/** The index of a value's raw bytes in the message. */
function indexOf(value: object, bytes: () => Uint8Array): number {
  const known = current().indexes.get(value);
  if (known !== undefined) return known;
  const index = current().bytes.push(bytes()) - 1;
  current().indexes.set(value, index);
  return index;
}

const format = new SuperJSON();

/** What each of baler's own annotations stands for in the JSON. */
const WRITERS: Record<Kind | "yours", (value: object) => unknown> = {
  bytes: (value) => indexOf(value, () => value as Uint8Array),
  buffer: (value) => ({
    type: bufferType(value),
    bytes: indexOf(value, () => bufferBytes(value)),
  }),
  error: (value) => errorToRecord(value as Error),
  function: (value) => exportValue("function", value),
  object: (value) => exportValue("object", value),
  signal: (value) => exportValue("signal", value),
  readable: (value) => exportValue("readable", value),
  writable: (value) => exportValue("writable", value),
  yours: (value) => ({ ref: current().references.imports.refOf(value) }),
  unsendable(value) {
    throw new TypeError(`${named(value)} cannot be sent to another process`);
  },
};

/** Writes a leaf of a tree; not what superjson looks into after all. */
function writeLeaf(value: object): { name: string; json: unknown } | undefined {
  const kind = kindHere(value);
  if (
    kind === undefined || kind === "error" || kind === "unsendable" ||
    isPlainObject(value)
  ) return undefined;
  return { name: kind, json: WRITERS[kind](value) };
}

function exportValue(kind: ReferenceKind, value: object): unknown {
  const { references, scope } = current();
  return references.exports.exportValue(kind, value, scope, encodeNested);
}

for (const [kind, write] of Object.entries(WRITERS)) {
  format.registerCustom<object, never>({
    isApplicable: (value): value is object => kindHere(value) === kind,
    serialize: (value) => write(value) as never,
    // Messages are read by `applyMeta`.
    deserialize: (value) => value,
  }, kind);
}

/** What goes into a message as a superjson document of its own: fields, reasons. */
function encodeNested(value: unknown): unknown {
  refuseLargeInside(value);
  if (isPlain(value)) return { json: value };
  // A copy, in which no object stands twice: superjson would take that for
  // something to note, at a place that its reader does not find again.
  const root = { value };
  const renamed = renameKeys(root);
  const text = JSON.stringify(format.serialize(renamed.value));
  return JSON.parse(renamed === root ? text : restoreKeys(text));
}

/** Counts a document inside of a message: many can share what is in them. */
function refuseLargeInside(value: unknown): void {
  const pass = current();
  pass.nestedValues += new SizeCounter().sizeOf(value).values;
  if (pass.nestedValues > MAX_VALUES) {
    throw new CostError(`more than ${MAX_VALUES} values`);
  }
}

/**
 * Writes a message.
 *
 * @param message The message.
 * @param references Where what goes by reference is kept.
 * @throws {TypeError} When something in it cannot be sent, with its place.
 */
export function encode(
  message: Record<string, unknown>,
  references: References,
): Encoded {
  if (isPlain(message)) {
    const line = `{"json":${JSON.stringify(message)}}`;
    refuseTooLong(line);
    refuseTooManyValues(line, message);
    return { line, bytes: [] };
  }
  const outer = encoding;
  let pass = newPass(message, references);
  encoding = pass;
  try {
    let hasRenamed = false;
    let written: Document | undefined = encodeTree(
      message,
      writeLeaf,
      pass.cost,
    );
    if (written === undefined) {
      references.exports.rollBack(pass.scope);
      new SizeCounter().sizeOf(message);
      const renamed = renameKeys(message);
      encoding = pass = newPass(renamed, references);
      written = format.serialize(renamed) as Document;
      countAnnotations(written.meta?.values, pass.cost);
      hasRenamed = renamed !== message;
    }
    const { json, meta } = written;
    const bytes = pass.bytes;
    if (bytes.length > 0) {
      (json as Record<string, unknown>).bytes = bytes.map((part) =>
        part.length
      );
    }
    const document = meta === undefined ? { json } : { json, meta };
    const text = JSON.stringify(document);
    const line = hasRenamed ? restoreKeys(text) : text;
    if (
      line.length > 2 * DEFAULT_LIMITS.depth &&
      isDeeperThan(DEFAULT_LIMITS.depth, document)
    ) throw tooDeep();
    refuseTooLong(line);
    refuseTooManyValues(line, document);
    refuseTooMany(bytes);
    return { line, bytes };
  } catch (error) {
    references.exports.rollBack(pass.scope);
    throw error instanceof CostError
      ? new RangeError(
        `what has ${error.message} cannot be sent to another process`,
        { cause: error },
      )
      : withValuePath(error, message);
  } finally {
    encoding = outer;
    kindCache = { value: undefined, kind: undefined };
  }
}

/** A message as it was meant. */
export interface Decoded {
  message: Record<string, unknown>;
  /** The references of the signals in it. */
  signals: number[];
  /** Whether something of it stays, with whatever it has for fields. */
  hasReferences: boolean;
}

const NONE: number[] = [];

/**
 * Reads a message.
 *
 * @param frame The message as it came.
 * @param references Where what came by reference is kept.
 * @throws {ProtocolError} When it does not fit together.
 */
export function decode(
  frame: Frame,
  references: References,
): Decoded {
  if (frame.meta === undefined) {
    return { message: frame.json, signals: NONE, hasReferences: false };
  }
  const scope = new MessageScope();
  let message: unknown;
  try {
    message = applyMeta(
      frame.json,
      frame.meta,
      reader(frame, references, scope),
    );
  } catch (error) {
    if (!(error instanceof CostError)) throw error;
    throw new ProtocolError(`a message has ${error.message}`, { cause: error });
  }
  if (typeof message !== "object" || message === null) {
    throw new ProtocolError("a message is not an object");
  }
  return {
    message: message as Record<string, unknown>,
    signals: scope.signals,
    hasReferences: scope.hasReferences,
  };
}

/** Reads baler's own annotations in one message. */
function reader(
  frame: Frame,
  references: References,
  scope: MessageScope,
): ReadOptions {
  const cost = new MessageCost();
  const buffers = new BufferReader();
  const bytesAt = (index: unknown): Uint8Array => {
    const bytes = Number.isInteger(index)
      ? frame.bytes[index as number]
      : undefined;
    if (bytes === undefined) {
      throw new ProtocolError(`there are no bytes ${describeValue(index)}`);
    }
    return bytes;
  };
  const nestedValue = (document: unknown): unknown => {
    if (
      typeof document !== "object" || document === null ||
      !Object.hasOwn(document, "json")
    ) {
      throw new ProtocolError("a nested value is not a superjson document");
    }
    const { json, meta } = document as { json: unknown; meta?: unknown };
    return meta === undefined ? json : applyMeta(json, meta, options);
  };
  const read: ReadCustom = (name, json) => {
    if (name === "bytes") return bytesAt(json);
    if (typeof json !== "object" || json === null) {
      throw new ProtocolError(`a ${excerpt(name)} is not described`);
    }
    const record = json as Record<string, unknown>;
    switch (name) {
      case "buffer":
        return buffers.read(record.type, bytesAt(record.bytes));
      case "error":
        cost.error();
        return errorFromRecord(record);
      case "yours":
        return references.exports.exportedValue(record.ref);
      case "function":
      case "object":
      case "signal":
      case "readable":
      case "writable":
        cost.reference();
        return references.imports.importValue(name, record, scope, nestedValue);
      default:
        throw new ProtocolError(`there is no annotation ${excerpt(name)}`);
    }
  };
  const options = { readCustom: read, cost };
  return options;
}

/** How many objects are looked through one by one before a set is made of them. */
const FEW = 16;

/**
 * Whether superjson would write a value without any annotation, so that
 * JSON.stringify alone gives the same text for a small part of the price.
 */
export function isPlain(root: unknown): boolean {
  const seen: object[] = [];
  let many: Set<object> | undefined;
  let depth = 0;
  const look = (value: unknown): boolean => {
    switch (typeof value) {
      case "string":
      case "boolean":
        return true;
      case "number":
        return Number.isFinite(value) && !(value === 0 && 1 / value < 0);
      case "object":
        break;
      default:
        return false;
    }
    if (value === null) return true;
    if (many !== undefined ? many.has(value) : seen.includes(value)) {
      return false;
    }
    if (many !== undefined) many.add(value);
    else if (seen.push(value) > FEW) many = new Set(seen);
    // The message has a few levels of its own around the value.
    if (++depth > DEFAULT_LIMITS.depth - 8) {
      throw tooDeep();
    }
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) {
        if (!look(value[index])) return false;
      }
      depth--;
      return true;
    }
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return false;
    for (const key in value) {
      // superjson refuses it, with an error that names the key.
      if (key === "__proto__") return false;
      if (!look((value as Record<string, unknown>)[key])) return false;
    }
    depth--;
    return true;
  };
  return look(root);
}

/** The other side would end the connection, and everything else on it. */
function refuseTooLong(line: string): void {
  const most = DEFAULT_LIMITS.line;
  // A character is three bytes at the most.
  if (line.length <= most / 3) return;
  const length = new TextEncoder().encode(line).length;
  if (length <= most) return;
  throw new RangeError(
    `what takes ${length} bytes as JSON cannot be sent to another process, where ${most} is the most: send it as bytes (Uint8Array) or as a stream`,
  );
}

/** Counts the annotations that superjson has written. */
function countAnnotations(values: unknown, cost: MessageCost): void {
  const open: unknown[] = [values];
  while (open.length > 0) {
    const tree = open.pop();
    if (Array.isArray(tree)) {
      cost.annotation();
      open.push(tree[1]);
    } else if (typeof tree === "object" && tree !== null) {
      for (const inner of Object.values(tree)) open.push(inner);
    }
  }
}

/** The same for the values in it. */
function refuseTooManyValues(line: string, document: unknown): void {
  // A value and what parts it from the next are two characters at the least.
  if (line.length < 2 * MAX_VALUES) return;
  let values = 0;
  const open: unknown[] = [document];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== "object" || value === null) continue;
    const children = Object.values(value);
    values += children.length + 1;
    if (values > MAX_VALUES) {
      throw new RangeError(
        `what has more than ${MAX_VALUES} values cannot be sent to another process at once: send it as bytes (a Float64Array, ...) or as a stream`,
      );
    }
    for (const child of children) open.push(child);
  }
}

/** The same for raw bytes. */
function refuseTooMany(bytes: Uint8Array[]): void {
  const limits = DEFAULT_LIMITS;
  if (bytes.length > limits.parts) {
    throw new RangeError(
      `more than ${limits.parts} arrays of bytes cannot be sent to another process at once: send them as a stream`,
    );
  }
  let length = 0;
  for (const part of bytes) length += part.length;
  if (length > limits.bytes) {
    throw new RangeError(
      `more than ${limits.bytes} bytes cannot be sent to another process at once: send them as a stream`,
    );
  }
}

function named(value: unknown): string {
  switch (typeof value) {
    case "symbol":
      return `${String(value)}`;
    case "object":
      return value instanceof Date
        ? "an invalid Date"
        : `a ${value?.constructor?.name ?? "value of no class"}`;
    default:
      return `a ${typeof value}`;
  }
}

/** Adds to an error the place of the value that could not be sent. */
function withValuePath(
  error: unknown,
  message: Record<string, unknown>,
): unknown {
  if (!(error instanceof Error)) return error;
  const place = findUnsendable(message.args ?? message.value, "", new Set());
  if (place === undefined) return error;
  const where = message.call === undefined
    ? "the returned value"
    : "the arguments";
  return new TypeError(
    `${error.message} (at ${place === "" ? where : `${place} of ${where}`})`,
    { cause: error },
  );
}

function findUnsendable(
  value: unknown,
  path: string,
  seen: Set<unknown>,
): string | undefined {
  if (!isSendable(value, new Set(), 1)) return path;
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  if (valueKind(value) !== undefined && !isPlainObject(value)) return;
  const entries: Iterable<[unknown, unknown]> = value instanceof Map
    ? value
    : value instanceof Set
    ? [...value].entries()
    : Object.entries(value);
  for (const [key, item] of entries) {
    const found = findUnsendable(
      item,
      Array.isArray(value) ? `${path}[${key}]` : `${path}.${String(key)}`,
      seen,
    );
    if (found !== undefined) return found;
  }
}
