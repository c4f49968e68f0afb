// Encodes messages: superjson's format, with a custom annotation for each kind of
// value that superjson does not support. There are three writers of the same
// format, the fastest first: JSON.stringify() for plain JSON, superjson_encoder.ts
// for trees, and superjson itself for the rest.

import { SuperJSON } from "superjson";
import { errorToRecord } from "./error_record.ts";
import { CostError, MAX_VALUES, MessageCost } from "./message_cost.ts";
import { isPlainJson } from "./plain_json.ts";
import type { WireMessage } from "./message.ts";
import { MessageScope } from "./references/message_scope.ts";
import type { References } from "./references/references.ts";
import { renameKeys, restoreKeys } from "./renamed_keys.ts";
import {
  checkDepth,
  checkLineLength,
  checkPayload,
  checkValueCount,
} from "./send_limits.ts";
import { type Document, encodeTree } from "./superjson_encoder.ts";
import { bufferBytes, bufferType } from "./typed_arrays.ts";
import { nameOfValue, withValuePath } from "./unsendable_value.ts";
import {
  isPlainObject,
  type Kind,
  type ReferenceKind,
  valueKind,
} from "./value_kind.ts";
import { SizeCounter } from "./written_size.ts";

/** A message ready to be sent. */
export interface Encoded {
  /** The line, without its end. */
  line: string;
  /** The raw bytes behind it. */
  bytes: Uint8Array[];
}

/** The annotation of a value: its kind, or "yours" for a value of the peer. */
type Annotation = Kind | "yours";

/** The message that is being encoded. Global, since superjson's transformers are. */
interface Encoding {
  readonly references: References;
  /** The references in the message. */
  readonly scope: MessageScope;
  /** The message itself, which is always a plain object. */
  readonly message: object;
  readonly bytes: Uint8Array[];
  /** The indexes of the raw bytes by value: the same value is sent once. */
  readonly indexes: Map<object, number>;
  /** What decoding the message costs the peer. */
  readonly cost: MessageCost;
  /** How many values the nested documents of the message have. */
  nestedValues: number;
}

let current: Encoding | undefined;

function currentEncoding(): Encoding {
  if (current === undefined) throw new Error("no message is being encoded");
  return current;
}

function newEncoding(message: object, references: References): Encoding {
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

/** The last value that was asked about: superjson asks each transformer about it. */
let lastValue: { value: unknown; annotation: Annotation | undefined } = {
  value: undefined,
  annotation: undefined,
};

/** Returns the annotation of a value, and counts its cost. */
function annotationOf(value: unknown): Annotation | undefined {
  if (lastValue.value === value) return lastValue.annotation;
  const { message, references, cost } = currentEncoding();
  if (typeof value === "bigint") cost.bigint(value.toString().length);
  else if (value instanceof RegExp) cost.pattern(`${value}`);
  let annotation: Annotation | undefined = value === message
    ? undefined
    : valueKind(value);
  if (annotation !== undefined && references.imports.has(value as object)) {
    annotation = "yours";
  }
  if (annotation !== undefined) countCost(annotation, cost);
  lastValue = { value, annotation };
  return annotation;
}

function countCost(annotation: Annotation, cost: MessageCost): void {
  if (annotation === "error") cost.error();
  else if (
    annotation !== "bytes" && annotation !== "buffer" &&
    annotation !== "unsendable"
  ) cost.reference();
}

/** Returns the index of a value's raw bytes in the message. */
function indexOf(value: object, bytesOf: () => Uint8Array): number {
  const { indexes, bytes } = currentEncoding();
  const known = indexes.get(value);
  if (known !== undefined) return known;
  const index = bytes.push(bytesOf()) - 1;
  indexes.set(value, index);
  return index;
}

const superjson = new SuperJSON();

/** Encodes the values of each annotation. */
const ENCODERS: Record<Annotation, (value: object) => unknown> = {
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
  yours: (value) => ({
    ref: currentEncoding().references.imports.refOf(value),
  }),
  unsendable(value) {
    throw new TypeError(
      `${nameOfValue(value)} cannot be sent to another process`,
    );
  },
};

/** Encodes a leaf of a tree; returns undefined for a value that superjson must encode. */
function encodeLeaf(
  value: object,
): { name: string; json: unknown } | undefined {
  const annotation = annotationOf(value);
  if (
    annotation === undefined || annotation === "error" ||
    annotation === "unsendable" || isPlainObject(value)
  ) return undefined;
  return { name: annotation, json: ENCODERS[annotation](value) };
}

function exportValue(kind: ReferenceKind, value: object): unknown {
  const { references, scope } = currentEncoding();
  return references.exports.exportValue(kind, value, scope, encodeNested);
}

for (const [annotation, encodeValue] of Object.entries(ENCODERS)) {
  superjson.registerCustom<object, never>({
    isApplicable: (value): value is object =>
      annotationOf(value) === annotation,
    serialize: (value) => encodeValue(value) as never,
    // Never called: messages are decoded by superjson_decoder.ts.
    deserialize: (value) => value,
  }, annotation);
}

/** Encodes a value as a superjson document inside of a message: fields, reasons. */
function encodeNested(value: unknown): unknown {
  countNestedValues(value);
  if (isPlainJson(value)) return { json: value };
  // A copy through JSON, in which each object is distinct: superjson would take
  // the same object in the message and in the nested document for an equality,
  // and note it at a path that a decoder does not find.
  const root = { value };
  const renamed = renameKeys(root);
  const text = JSON.stringify(superjson.serialize(renamed.value));
  return JSON.parse(renamed === root ? text : restoreKeys(text));
}

/** Counts the values of a nested document: many documents can share large values. */
function countNestedValues(value: unknown): void {
  const encoding = currentEncoding();
  encoding.nestedValues += new SizeCounter().sizeOf(value).values;
  if (encoding.nestedValues > MAX_VALUES) {
    throw new CostError(`more than ${MAX_VALUES} values`);
  }
}

/**
 * Encodes a message.
 *
 * @param message The message.
 * @param references The references of the connection.
 * @throws {TypeError} When it contains a value that cannot be sent, with its path.
 * @throws {RangeError} When it exceeds a limit of the peer.
 */
export function encode(message: WireMessage, references: References): Encoded {
  if (isPlainJson(message)) {
    const line = `{"json":${JSON.stringify(message)}}`;
    checkLineLength(line);
    checkValueCount(line, message);
    return { line, bytes: [] };
  }
  const outer = current;
  let encoding = current = newEncoding(message, references);
  try {
    let hasRenamedKeys = false;
    let document: Document | undefined = encodeTree(
      message,
      encodeLeaf,
      encoding.cost,
    );
    if (document === undefined) {
      references.exports.rollBack(encoding.scope);
      // Throws for a value that is too large to be written.
      new SizeCounter().sizeOf(message);
      const renamed = renameKeys(message);
      encoding = current = newEncoding(renamed, references);
      document = superjson.serialize(renamed) as Document;
      countAnnotations(document.meta?.values, encoding.cost);
      hasRenamedKeys = renamed !== message;
    }
    const { json, meta } = document;
    const { bytes } = encoding;
    if (bytes.length > 0) {
      (json as Record<string, unknown>).bytes = bytes.map((part) =>
        part.length
      );
    }
    const whole = meta === undefined ? { json } : { json, meta };
    const text = JSON.stringify(whole);
    const line = hasRenamedKeys ? restoreKeys(text) : text;
    checkDepth(line, whole);
    checkLineLength(line);
    checkValueCount(line, whole);
    checkPayload(bytes);
    return { line, bytes };
  } catch (error) {
    references.exports.rollBack(encoding.scope);
    throw error instanceof CostError
      ? new RangeError(
        `a value with ${error.message} cannot be sent to another process`,
        { cause: error },
      )
      : withValuePath(error, message);
  } finally {
    current = outer;
    lastValue = { value: undefined, annotation: undefined };
  }
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
