// JavaScript values seen as the Go values that a template works on: what kind
// a value is, what is in it, whether it is true. Only own properties are ever
// read, so no template reaches a prototype.

import { utf8Length } from "./strings.ts";

/**
 * A float64 that happens to be whole, as `1.0` in a template is: JavaScript's
 * own 1 stands for Go's int.
 */
export class Float {
  /**
   * Marks a number as float64.
   *
   * @param value the number
   */
  constructor(readonly value: number) {}
}

/** Go's kinds, as far as a template can tell them apart. */
export type Kind =
  | "nil"
  | "string"
  | "int"
  | "float64"
  | "bool"
  | "list"
  | "map"
  | "struct"
  | "function";

/** Which of Go's kinds stands for the value. */
export function kindOf(value: unknown): Kind {
  switch (typeof value) {
    case "undefined":
      return "nil";
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return Number.isInteger(value) && Math.abs(value) < 2 ** 63
        ? "int"
        : "float64";
    case "object":
      return objectKind(value);
    default:
      return "function";
  }
}

function objectKind(value: object | null): Kind {
  if (value === null) return "nil";
  if (value instanceof Float) return "float64";
  if (Array.isArray(value) || value instanceof Set || isTypedArray(value)) {
    return "list";
  }
  if (value instanceof Map) return "map";
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype
    ? "map"
    : "struct";
}

function isTypedArray(value: object): value is Uint8Array {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

/** What an error calls the value's type. */
export function typeName(value: unknown): string {
  if (kindOf(value) !== "struct") return kindOf(value);
  return (value as object).constructor?.name || "struct";
}

/** What Go's `%T` prints for it. */
export function goType(value: unknown): string {
  const kind = kindOf(value);
  if (kind === "nil") return "<nil>";
  if (kind === "map") return "map[string]interface {}";
  if (kind !== "list") return typeName(value);
  return value instanceof Uint8Array ? "[]uint8" : "[]interface {}";
}

/** The number in an "int" or "float64". */
export function numberOf(value: unknown): number | bigint {
  return value instanceof Float ? value.value : value as number | bigint;
}

/** The elements of a "list". */
export function elementsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : Array.from(value as Iterable<unknown>);
}

/** The entries of a "map", in the order of their keys as Go prints them. */
export function entriesOf(value: unknown): [unknown, unknown][] {
  const entries: [unknown, unknown][] = value instanceof Map
    ? [...value]
    : Object.entries(value as object);
  return entries.sort(([a], [b]) => compareKeys(a, b));
}

function compareKeys(a: unknown, b: unknown): number {
  const comparable = typeof a === "number" && typeof b === "number";
  const [left, right] = comparable ? [a, b] : [String(a), String(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** How many elements, entries or (in UTF-8) bytes; undefined for what has no length. */
export function lengthOf(value: unknown): number | undefined {
  switch (kindOf(value)) {
    case "string":
      return utf8Length(value as string);
    case "list":
      return elementsOf(value).length;
    case "map":
      return value instanceof Map
        ? value.size
        : Object.keys(value as object).length;
  }
  return undefined;
}

/** Whether a "map" or "struct" has the entry itself, not by inheritance. */
export function hasEntry(value: unknown, key: unknown): boolean {
  return value instanceof Map
    ? value.has(key)
    : Object.hasOwn(value as object, String(key));
}

/** The entry of a "map" or "struct", or undefined. */
export function entryOf(value: unknown, key: unknown): unknown {
  if (!hasEntry(value, key)) return undefined;
  return value instanceof Map
    ? value.get(key)
    : (value as Record<string, unknown>)[String(key)];
}

/** Go's truth: not false, zero, nil or empty. */
export function isTrue(value: unknown): boolean {
  switch (kindOf(value)) {
    case "nil":
      return false;
    case "bool":
      return value as boolean;
    case "string":
      return value !== "";
    case "int":
    case "float64":
      return Number(numberOf(value)) !== 0;
    case "list":
    case "map":
      return lengthOf(value) !== 0;
    default:
      return true;
  }
}
