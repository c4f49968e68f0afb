// The functions that every Go template has, except `and` and `or`: those
// evaluate only the operands that they need, and so belong to the evaluator.

import type { InterpolationContext } from "./context.ts";
import { FunctionError } from "./error.ts";
import { compare } from "./compare.ts";
import { sprint, sprintf, sprintln } from "./printf.ts";
import type { TemplateFunction } from "./signature.ts";
import { mapPieces } from "./strings.ts";
import {
  elementsOf,
  entryOf,
  isTrue,
  kindOf,
  lengthOf,
  numberOf,
  typeName,
} from "./values.ts";

/** Go's functions by name. */
export const GO_FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map<
  string,
  TemplateFunction
>([
  ["not", { operands: ["any"], call: (_, value) => !isTrue(value) }],
  ["len", { operands: ["any"], call: len }],
  ["index", { operands: ["any"], rest: "any", call: index }],
  ["slice", { operands: ["any"], rest: "any", call: slice }],
  ["call", { operands: ["any"], rest: "any", call: refuseCall }],
  ["print", { operands: [], rest: "any", call: (_, ...all) => sprint(all) }],
  ["println", {
    operands: [],
    rest: "any",
    call: (_, ...all) => sprintln(all),
  }],
  ["printf", {
    operands: ["string"],
    rest: "any",
    call: (_, format: string, ...all) => sprintf(format, all),
  }],
  ["html", escaper(html)],
  ["js", escaper(js)],
  ["urlquery", escaper(urlquery)],
  ["eq", { operands: ["any"], rest: "any", call: eq }],
  ["ne", { operands: ["any", "any"], call: (_, a, b) => !compare.same(a, b) }],
  ["lt", { operands: ["any", "any"], call: (_, a, b) => compare.less(a, b) }],
  ["le", {
    operands: ["any", "any"],
    call: (_, a, b) => compare.less(a, b) || compare.same(a, b),
  }],
  ["gt", {
    operands: ["any", "any"],
    call: (_, a, b) => !compare.less(a, b) && !compare.same(a, b),
  }],
  ["ge", { operands: ["any", "any"], call: (_, a, b) => !compare.less(a, b) }],
]);

function eq(_: InterpolationContext, first: unknown, ...others: unknown[]) {
  if (others.length === 0) {
    throw new FunctionError("missing argument for comparison");
  }
  return others.some((other) => compare.same(first, other));
}

function len(_: InterpolationContext, value: unknown): number {
  const length = lengthOf(value);
  if (length === undefined) {
    throw new FunctionError(`len of type ${typeName(value)}`);
  }
  return length;
}

function index(_: InterpolationContext, value: unknown, ...keys: unknown[]) {
  if (kindOf(value) === "nil") throw new FunctionError("index of untyped nil");
  return keys.reduce(entryAt, value);
}

function entryAt(value: unknown, key: unknown): unknown {
  switch (kindOf(value)) {
    case "map":
      if (kindOf(key) !== "string" && !(value instanceof Map)) {
        throw new FunctionError(
          `value has type ${typeName(key)}; should be string`,
        );
      }
      return entryOf(value, key);
    case "list": {
      const elements = elementsOf(value);
      return elements[position(key, elements.length - 1)];
    }
    case "string": {
      const bytes = new TextEncoder().encode(value as string);
      return bytes[position(key, bytes.length - 1)];
    }
    case "nil":
      throw new FunctionError("index of nil pointer");
  }
  throw new FunctionError(`can't index item of type ${typeName(value)}`);
}

function position(key: unknown, last: number): number {
  if (kindOf(key) !== "int") {
    throw new FunctionError(
      `cannot index slice/array with type ${typeName(key)}`,
    );
  }
  const at = Number(numberOf(key));
  if (at < 0 || at > last) throw new FunctionError(`index out of range: ${at}`);
  return at;
}

function slice(_: InterpolationContext, value: unknown, ...keys: unknown[]) {
  const kind = kindOf(value);
  if (kind === "nil") throw new FunctionError("slice of untyped nil");
  if (kind !== "string" && kind !== "list") {
    throw new FunctionError(`can't slice item of type ${typeName(value)}`);
  }
  if (keys.length === 3 && kind === "string") {
    throw new FunctionError("cannot 3-index slice a string");
  }
  if (keys.length > 3) {
    throw new FunctionError(`too many slice indexes: ${keys.length}`);
  }
  const all = kind === "string"
    ? new TextEncoder().encode(value as string)
    : elementsOf(value);
  const at = keys.map((key) => position(key, all.length));
  for (let next = 1; next < at.length; next++) {
    if (at[next - 1]! > at[next]!) {
      throw new FunctionError(
        `invalid slice index: ${at[next - 1]} > ${at[next]}`,
      );
    }
  }
  const part = all.slice(at[0], at[1]);
  return part instanceof Uint8Array && kind === "string"
    ? new TextDecoder().decode(part)
    : part;
}

// A template's data never holds functions that it could call.
function refuseCall(_: InterpolationContext, value: unknown): never {
  if (kindOf(value) === "nil") throw new FunctionError("call of nil");
  throw new FunctionError(`non-function of type ${typeName(value)}`);
}

function escaper(escape: (text: string) => string): TemplateFunction {
  return {
    operands: [],
    rest: "any",
    call: (_, ...values: unknown[]) =>
      escape(sprint(values.map((value) => value ?? "<no value>"))),
  };
}

const HTML_ESCAPES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
  "\0": "\ufffd",
};

function html(text: string): string {
  return mapPieces(
    text,
    (piece) =>
      piece.replace(/[&<>"'\0]/g, (character) => HTML_ESCAPES[character]!),
  );
}

function js(text: string): string {
  return mapPieces(text, (piece) =>
    piece.replace(/[\\"']/g, "\\$&").replace(
      /[<>&=]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu,
      (character) => {
        const code = character.codePointAt(0)!.toString(16).toUpperCase();
        return `\\u${code.padStart(4, "0")}`;
      },
    ));
}

function urlquery(text: string): string {
  return mapPieces(
    text,
    (piece) =>
      encodeURIComponent(piece.toWellFormed()).replace(
        /[!'()*]/g,
        (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
      ).replaceAll("%20", "+"),
  );
}
