// Writes one value by one of Go's fmt verbs.

import { exponential, fixed, general } from "./numbers.ts";
import { characterOf, hexBytes, quoted, unicodeName } from "./quote.ts";
import { MAX_VALUE_DEPTH } from "./limits.ts";
import { countCodePoints, firstCodePoints, StringBuilder } from "./strings.ts";
import { formatTime } from "./go_time.ts";
import { elementsOf, entriesOf, goType, kindOf, numberOf } from "./values.ts";

/** The part of a directive between its `%` and its verb. */
export interface Spec {
  /** `#` */
  sharp: boolean;
  /** `0`: pad with zeros. */
  zero: boolean;
  /** `+` */
  plus: boolean;
  /** `-`: pad on the right. */
  left: boolean;
  /** A blank where a sign would be. */
  space: boolean;
  /** At least so many characters. */
  width: number;
  /** After the point. */
  precision?: number | undefined;
}

/** A directive's spec when nothing stands there. */
export const NO_FLAGS: Readonly<Spec> = {
  sharp: false,
  zero: false,
  plus: false,
  left: false,
  space: false,
  width: 0,
};

/**
 * Writes a value.
 *
 * @param verb one character: v, s, q, d, x, ...; a wrong one is complained
 * about in the result
 * @throws RangeError when lists or maps stand too deep within each other
 */
export function formatOperand(
  value: unknown,
  verb: string,
  spec: Spec,
): string {
  if (verb === "T") return pad(goType(value), spec);
  // In %+v the plus asks for the names of fields, not for a number's sign.
  const named = verb === "v" && spec.plus;
  return format(value, verb, named ? { ...spec, plus: false } : spec, 0, named);
}

function format(
  value: unknown,
  verb: string,
  spec: Spec,
  depth: number,
  named: boolean,
): string {
  const nested = (inner: unknown) =>
    format(inner, verb, spec, depth + 1, named);
  if (depth > MAX_VALUE_DEPTH) {
    throw new RangeError(
      `a value is nested more than ${MAX_VALUE_DEPTH} levels deep`,
    );
  }
  const kind = kindOf(value);
  switch (kind) {
    case "nil":
      if (verb === "v" || depth > 0) {
        return pad(
          spec.sharp && depth > 0 ? "interface {}(nil)" : "<nil>",
          spec,
        );
      }
      return `%!${verb}(<nil>)`;
    case "string":
      return formatText(value as string, verb, spec) ??
        wrong(value, verb, spec);
    case "bool":
      if (verb !== "v" && verb !== "t") return wrong(value, verb, spec);
      return pad(String(value), { ...spec, zero: false });
    case "int":
      return formatInteger(BigInt(numberOf(value)), verb, spec) ??
        wrong(value, verb, spec);
    case "float64":
      return formatFloat(Number(numberOf(value)), verb, spec) ??
        wrong(value, verb, spec);
    case "list":
      if (value instanceof Uint8Array && "sqxX".includes(verb)) {
        return formatText(new TextDecoder().decode(value), verb, spec, value)!;
      }
      if (spec.sharp && verb === "v") {
        return `${goType(value)}{${joined(elementsOf(value), nested, ", ")}}`;
      }
      return `[${joined(elementsOf(value), nested, " ")}]`;
    case "map": {
      const entry = ([key, inner]: [unknown, unknown]) =>
        `${nested(key)}:${nested(inner)}`;
      return spec.sharp && verb === "v"
        ? `${goType(value)}{${joined(entriesOf(value), entry, ", ")}}`
        : `map[${joined(entriesOf(value), entry, " ")}]`;
    }
    case "struct": {
      const text = structText(value as object);
      if (text !== undefined) {
        return formatText(text, verb, spec) ?? wrong(value, verb, spec);
      }
      const field = ([name, inner]: [string, unknown]) =>
        named ? `${name}:${nested(inner)}` : nested(inner);
      return `{${joined(Object.entries(value as object), field, " ")}}`;
    }
    default:
      return wrong(value, verb, spec);
  }
}

/** Writes each item, and throws before the result becomes too long. */
function joined<T>(
  items: readonly T[],
  write: (item: T) => string,
  separator: string,
): string {
  const result = new StringBuilder();
  for (const [index, item] of items.entries()) {
    result.append(index === 0 ? write(item) : separator + write(item));
  }
  return result.toString();
}

// What is more than its fields: a moment, an error, a URL and the like.
function structText(value: object): string | undefined {
  if (value instanceof Date) {
    return formatTime(value, "2006-01-02 15:04:05.999999999 -0700 MST");
  }
  if (value instanceof Error) return value.message;
  const text = value.toString === Object.prototype.toString
    ? undefined
    : value.toString();
  return typeof text === "string" ? text : undefined;
}

function wrong(value: unknown, verb: string, spec: Spec): string {
  const plain = { ...spec, sharp: false };
  const shown = kindOf(value) === "function"
    ? ""
    : format(value, "v", plain, 0, false);
  return `%!${verb}(${goType(value)}=${shown})`;
}

function formatText(
  text: string,
  verb: string,
  spec: Spec,
  bytes?: Uint8Array,
): string | undefined {
  const short = spec.precision === undefined
    ? text
    : firstCodePoints(text, spec.precision);
  switch (verb) {
    case "v":
      return pad(spec.sharp ? quoted(short, '"') : short, spec);
    case "s":
      return pad(short, spec);
    case "q":
      return pad(
        spec.sharp && !/`|(?!\t)\p{Cc}/u.test(short)
          ? `\`${short}\``
          : quoted(short, '"', spec.plus),
        spec,
      );
    case "x":
    case "X": {
      const all = bytes ?? new TextEncoder().encode(text);
      const used = all.subarray(0, spec.precision);
      const hex = hexBytes(used, spec.space, spec.sharp);
      return pad(verb === "X" ? hex.toUpperCase() : hex, spec);
    }
  }
}

const INTEGER_BASES: Record<string, [radix: number, prefix: string]> = {
  v: [10, ""],
  d: [10, ""],
  b: [2, "0b"],
  o: [8, "0"],
  O: [8, ""],
  x: [16, "0x"],
  X: [16, "0X"],
};

function formatInteger(
  value: bigint,
  verb: string,
  spec: Spec,
): string | undefined {
  const code = value < 0n || value > 0x10ffffn ? 0xfffd : Number(value);
  if (verb === "c") return pad(characterOf(code), spec);
  if (verb === "q") return pad(quoted(characterOf(code), "'", spec.plus), spec);
  if (verb === "U") return pad(unicodeName(Number(value), spec.sharp), spec);
  if (!Object.hasOwn(INTEGER_BASES, verb)) return undefined;
  const [radix, prefix] = INTEGER_BASES[verb]!;
  let digits = (value < 0n ? -value : value).toString(radix);
  if (verb === "X") digits = digits.toUpperCase();
  if (spec.precision !== undefined) {
    digits = value === 0n && spec.precision === 0
      ? ""
      : digits.padStart(spec.precision, "0");
  }
  const sign = signOf(value < 0n, spec);
  const start = sign + (verb === "O" ? "0o" : spec.sharp ? prefix : "");
  const zero = spec.zero && spec.precision === undefined;
  return padNumber(start, digits, { ...spec, zero });
}

function formatFloat(
  value: number,
  verb: string,
  spec: Spec,
): string | undefined {
  if (!"veEfFgG".includes(verb)) return undefined;
  const sign = signOf(value < 0 || Object.is(value, -0), spec);
  if (!Number.isFinite(value)) {
    const name = Number.isNaN(value) ? "NaN" : "Inf";
    const shownSign = name === "Inf" && sign === "" && spec.plus ? "+" : sign;
    return padNumber(shownSign || (name === "Inf" ? "+" : ""), name, {
      ...spec,
      zero: false,
    });
  }
  const magnitude = Math.abs(value);
  const lower = verb.toLowerCase();
  const digits = lower === "e"
    ? exponential(magnitude, spec.precision ?? 6)
    : lower === "f"
    ? fixed(magnitude, spec.precision ?? 6)
    : general(magnitude, spec.precision);
  return padNumber(
    sign,
    verb === "E" || verb === "G" ? digits.toUpperCase() : digits,
    spec,
  );
}

function signOf(negative: boolean, spec: Spec): string {
  return negative ? "-" : spec.plus ? "+" : spec.space ? " " : "";
}

// Zeros go between the sign and the digits.
function padNumber(start: string, digits: string, spec: Spec): string {
  if (!spec.zero || spec.left) {
    return pad(start + digits, { ...spec, zero: false });
  }
  return start + digits.padStart(spec.width - start.length, "0");
}

function pad(text: string, spec: Spec): string {
  if (spec.width === 0) return text;
  const missing = spec.width - countCodePoints(text);
  if (missing <= 0) return text;
  if (spec.left) return text + " ".repeat(missing);
  return (spec.zero ? "0" : " ").repeat(missing) + text;
}
