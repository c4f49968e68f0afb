// Go's comparisons: only values of one kind can be compared, and whole and
// broken numbers are two kinds.

import { FunctionError } from "./error.ts";
import { type Kind, kindOf, numberOf, typeName } from "./values.ts";

/** The two comparisons that all others are made of. */
export const compare = { same, less };

const BASIC_KINDS = new Set<Kind>(["bool", "float64", "int", "string"]);

function same(a: unknown, b: unknown): boolean {
  const kind = kindOf(a);
  const other = kindOf(b);
  if (kind === "nil" || other === "nil") return kind === other;
  if (BASIC_KINDS.has(kind) || BASIC_KINDS.has(other)) {
    if (kind !== other) throw mismatch(a, b);
    if (kind === "int") return BigInt(numberOf(a)) === BigInt(numberOf(b));
    return kind === "float64" ? numberOf(a) === numberOf(b) : a === b;
  }
  for (const [value, itsKind] of [[a, kind], [b, other]] as const) {
    if (itsKind !== "struct") {
      throw new FunctionError(`non-comparable type: ${typeName(value)}`);
    }
  }
  return a === b;
}

function less(a: unknown, b: unknown): boolean {
  const kind = kindOf(a);
  const other = kindOf(b);
  for (const [value, itsKind] of [[a, kind], [b, other]] as const) {
    if (itsKind !== "int" && itsKind !== "float64" && itsKind !== "string") {
      throw new FunctionError(
        `invalid type for comparison: ${typeName(value)}`,
      );
    }
  }
  if (kind !== other) throw mismatch(a, b);
  return kind === "string"
    ? lessText(a as string, b as string)
    : numberOf(a) < numberOf(b);
}

// By code points, as Go's bytes sort; JavaScript's < sorts UTF-16 units.
function lessText(a: string, b: string): boolean {
  for (let at = 0;;) {
    const left = a.codePointAt(at);
    const right = b.codePointAt(at);
    if (left === undefined || right === undefined) return a.length < b.length;
    if (left !== right) return left < right;
    at += left > 0xffff ? 2 : 1;
  }
}

function mismatch(a: unknown, b: unknown): FunctionError {
  return new FunctionError(
    `incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`,
  );
}
