// The specification in protobuf, as packer-plugin-sdk's hcl_spec.proto has it.
// All fields are messages, strings or booleans, so that two wire types do.

import { ProtocolError } from "../rpc/protocol.ts";
import type { CtyType, ObjectSpec, Spec } from "./hcl_spec.ts";

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** The deepest nesting that is read. */
const MAX_DEPTH = 100;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

// Field numbers of hcl_spec.proto.
const SPEC = { object: 1, attr: 2, block: 3, block_list: 4 } as const;
const CTY = { primitive: 1, list: 2, map: 3 } as const;
const PRIMITIVES = {
  string: "cty.String",
  number: "cty.Number",
  bool: "cty.Bool",
} as const;

/**
 * Encodes a specification.
 *
 * @param spec The specification.
 */
export function encodeProtobufSpec(spec: ObjectSpec): Uint8Array {
  return Uint8Array.from(encodeSpecMessage(spec));
}

function encodeSpecMessage(spec: Spec): number[] {
  return field(SPEC[spec.kind], contentOf(spec));
}

function contentOf(spec: Spec): number[] {
  switch (spec.kind) {
    case "object":
      return Object.entries(spec.attributes).flatMap(([name, nested]) =>
        field(1, [...text(1, name), ...field(2, encodeSpecMessage(nested))])
      );
    case "attr":
      return [
        ...text(1, spec.name),
        ...field(2, encodeType(spec.type)),
        ...flag(3, spec.required),
      ];
    case "block":
      return [
        ...text(1, spec.name),
        ...flag(2, spec.required),
        ...field(3, encodeSpecMessage(spec.nested)),
      ];
    case "block_list":
      return [
        ...text(1, spec.name),
        ...field(2, encodeSpecMessage(spec.nested)),
      ];
  }
}

function encodeType(type: CtyType): number[] {
  if (typeof type === "string") {
    return field(CTY.primitive, text(1, PRIMITIVES[type]));
  }
  return "list" in type
    ? field(CTY.list, field(1, encodeType(type.list)))
    : field(CTY.map, field(1, encodeType(type.map)));
}

function field(number: number, content: Iterable<number>): number[] {
  const bytes = [...content];
  return [number << 3 | LENGTH_DELIMITED, ...varint(bytes.length), ...bytes];
}

function text(number: number, value: string): number[] {
  return field(number, encoder.encode(value));
}

function flag(number: number, value: boolean): number[] {
  return value ? [number << 3 | VARINT, 1] : [];
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) {
    bytes.push(left % 0x80 | 0x80);
  }
  return [...bytes, left];
}

/**
 * Reads a specification, for example of a plugin written in Go.
 *
 * @param bytes The reply of its `ConfigSpec`.
 * @throws {ProtocolError} When it is not valid.
 */
export function decodeProtobufSpec(bytes: Uint8Array): ObjectSpec {
  const spec = decodeSpecMessage(bytes, 0);
  if (spec.kind !== "object") throw invalid("is of no object");
  return spec;
}

function invalid(what: string): ProtocolError {
  return new ProtocolError(`the plugin's ConfigSpec ${what}`);
}

function decodeSpecMessage(bytes: Uint8Array, depth: number): Spec {
  if (depth > MAX_DEPTH) throw invalid(`is nested deeper than ${MAX_DEPTH}`);
  for (const [number, value] of fieldsOf(bytes)) {
    switch (number) {
      case SPEC.object: {
        const attributes = new Map<string, Spec>();
        for (const [entryNumber, entry] of fieldsOf(content(value))) {
          if (entryNumber !== 1) continue;
          const { 1: name, 2: nested } = message(content(entry));
          attributes.set(
            textOf(name),
            decodeSpecMessage(content(nested), depth + 1),
          );
        }
        return { kind: "object", attributes: Object.fromEntries(attributes) };
      }
      case SPEC.attr: {
        const { 1: name, 2: type, 3: required } = message(content(value));
        return {
          kind: "attr",
          name: textOf(name),
          type: decodeType(content(type), depth + 1),
          required: required === 1,
        };
      }
      case SPEC.block: {
        const { 1: name, 2: required, 3: nested } = message(content(value));
        return {
          kind: "block",
          name: textOf(name),
          required: required === 1,
          nested: decodeNested(nested, depth),
        };
      }
      case SPEC.block_list: {
        const { 1: name, 2: nested } = message(content(value));
        return {
          kind: "block_list",
          name: textOf(name),
          nested: decodeNested(nested, depth),
        };
      }
    }
  }
  throw invalid("has a part of no known kind");
}

function decodeNested(value: Value | undefined, depth: number): ObjectSpec {
  const spec = decodeSpecMessage(content(value), depth + 1);
  if (spec.kind !== "object") throw invalid("has a block of no object");
  return spec;
}

function decodeType(bytes: Uint8Array, depth: number): CtyType {
  if (depth > MAX_DEPTH) throw invalid(`is nested deeper than ${MAX_DEPTH}`);
  for (const [number, value] of fieldsOf(bytes)) {
    const { 1: inner } = message(content(value));
    if (number === CTY.list) {
      return { list: decodeType(content(inner), depth + 1) };
    }
    if (number === CTY.map) {
      return { map: decodeType(content(inner), depth + 1) };
    }
    if (number !== CTY.primitive) continue;
    for (const [type, name] of Object.entries(PRIMITIVES)) {
      if (name === textOf(inner)) return type as keyof typeof PRIMITIVES;
    }
  }
  throw invalid("has a type that is not known");
}

/** What a field has: a varint's number or the bytes behind a length. */
type Value = number | Uint8Array;

function message(bytes: Uint8Array): Record<number, Value | undefined> {
  return Object.fromEntries(fieldsOf(bytes));
}

function content(value: Value | undefined): Uint8Array {
  // A message without fields is left out.
  if (value === undefined) return new Uint8Array(0);
  if (typeof value === "number") throw invalid("has a number in a wrong place");
  return value;
}

function textOf(value: Value | undefined): string {
  return decoder.decode(content(value));
}

function* fieldsOf(bytes: Uint8Array): Generator<[number, Value]> {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) throw invalid("ends too early");
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw invalid("has a number that is too long");
  };
  while (at < bytes.length) {
    const tag = varint();
    const wireType = tag % 8;
    const number = Math.floor(tag / 8);
    const value = varint();
    if (wireType === VARINT) yield [number, value];
    else if (wireType !== LENGTH_DELIMITED) {
      throw invalid(`has a field of wire type ${wireType}`);
    } else {
      if (at + value > bytes.length) throw invalid("ends too early");
      yield [number, bytes.subarray(at, at += value)];
    }
  }
}
