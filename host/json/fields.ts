// Decodes the fields of a template's parts as Packer does, and collects every
// problem with its position.

import { nearest } from "../../plugin/common/did_you_mean.ts";
import { describeType, isObject, type JsonObject } from "./json_value.ts";
import { parseDuration } from "../../plugin/common/duration.ts";
import {
  type JsonDocument,
  type JsonPath,
  SourceError,
  type SourceProblem,
} from "./json_document.ts";

/** The problems of one document. */
export class Diagnostics {
  /** The document. */
  readonly document: JsonDocument;
  readonly #found: SourceProblem[] = [];

  /**
   * @param document The document.
   */
  constructor(document: JsonDocument) {
    this.document = document;
  }

  /** The number of problems. */
  get count(): number {
    return this.#found.length;
  }

  /**
   * Adds a problem.
   *
   * @param path Its path in the document.
   * @param message What is wrong, and what to do.
   * @param where Whether the key or the value is at fault.
   */
  add(path: JsonPath, message: string, where: "key" | "value" = "value"): void {
    this.#found.push({ message, location: this.document.locate(path, where) });
  }

  /**
   * Adds the problem of an unknown key.
   *
   * @param path The path of the key.
   * @param message The message, without the hint.
   * @param known The known keys.
   */
  async addUnknownKey(
    path: JsonPath,
    message: string,
    known: readonly string[],
  ): Promise<void> {
    const near = await nearest(String(path.at(-1)), known);
    const hint = near === undefined
      ? `; known are ${known.join(", ")}`
      : `; did you mean "${near}"?`;
    this.add(path, message + hint, "key");
  }

  /**
   * Throws when there are problems.
   *
   * @throws {SourceError} With all problems.
   */
  throwIfAny(): void {
    if (this.#found.length > 0) {
      throw new SourceError(this.#found, this.document.source);
    }
  }
}

/** How loosely fields are decoded. */
export type Strictness =
  /** Numbers and booleans are converted to strings, a single value to a list. */
  | "weak"
  /** A value must have the type of the field. */
  | "strict";

/** Reads the fields of one part of a template. As in Packer, null means that a field is absent. */
export class Fields {
  readonly #object: JsonObject;
  readonly #path: JsonPath;
  readonly #label: string;
  readonly #strictness: Strictness;
  readonly #problems: Diagnostics;

  /**
   * @param object The part.
   * @param path Its path in the document.
   * @param label The beginning of its error messages, for example `"builder 1: "`.
   * @param strictness How loosely its fields are decoded.
   * @param problems Collects the problems.
   */
  constructor(
    object: JsonObject,
    path: JsonPath,
    label: string,
    strictness: Strictness,
    problems: Diagnostics,
  ) {
    this.#object = object;
    this.#path = path;
    this.#label = label;
    this.#strictness = strictness;
    this.#problems = problems;
  }

  /** Returns a string, "" when absent; undefined when the value is not a string. */
  string(key: string): string | undefined {
    const value = this.#value(key);
    return value === null ? "" : this.#asString(value, key, [key]);
  }

  /** Returns a list of strings, empty when absent; undefined when the value is not such a list. */
  stringList(key: string): string[] | undefined {
    const value = this.#value(key);
    if (value === null) return [];
    let list: unknown[];
    if (Array.isArray(value)) list = value;
    else if (this.#strictness === "strict") {
      return this.#refuse(
        key,
        `'${key}': source data must be an array or slice, got ${
          describeType(value)
        }; write ["..."]`,
      );
    } else if (isObject(value) && Object.keys(value).length === 0) list = [];
    else list = [value];
    const strings = list.map((item, index) =>
      item === null ? "" : this.#asString(
        item,
        `${key}[${index}]`,
        Array.isArray(value) ? [key, index] : [key],
      )
    );
    return strings.includes(undefined) ? undefined : strings as string[];
  }

  /** Returns a boolean; undefined when absent, or when the value is not a boolean. */
  boolean(key: string): boolean | undefined {
    const value = this.#value(key);
    if (value === null || typeof value === "boolean") return value ?? undefined;
    return this.#refuse(
      key,
      `'${key}' expected type 'bool', got ${
        describeType(value)
      }; write true or false`,
    );
  }

  /** Returns an object; undefined when absent, or when the value is not an object. */
  object(key: string): JsonObject | undefined {
    const value = this.#value(key);
    if (value === null) return undefined;
    if (isObject(value)) return value;
    // Packer merges a list of objects into one.
    const isLoose = this.#strictness === "weak";
    if (isLoose && Array.isArray(value) && value.every(isObject)) {
      return Object.assign({}, ...value);
    }
    return this.#refuse(
      key,
      `'${key}' expected a map, got ${describeType(value)}`,
    );
  }

  /** Returns a duration in milliseconds, 0 when absent; undefined when the value is not a duration. */
  duration(key: string): number | undefined {
    const value = this.#value(key);
    if (value === null) return 0;
    // Packer decodes a number as Go's duration: whole nanoseconds.
    if (typeof value === "number") return Math.trunc(value) / 1e6;
    if (typeof value === "boolean") return value ? 1e-6 : 0;
    const milliseconds = parseDuration(value);
    if (milliseconds !== undefined) return milliseconds;
    const what = typeof value !== "string"
      ? `expected a duration, got ${describeType(value)}`
      : /^[+-]?\d+(\.\d+)?$/.test(value)
      ? `missing unit in duration "${value}"`
      : `invalid duration "${value}"`;
    return this.#refuse(
      key,
      `error decoding '${key}': ${what}; write it like "5s" or "1h30m"`,
    );
  }

  /** Returns the part without these fields. */
  without(keys: readonly string[]): JsonObject {
    return Object.fromEntries(
      Object.entries(this.#object).filter(([key]) => !keys.includes(key)),
    );
  }

  #value(key: string): unknown {
    return Object.hasOwn(this.#object, key) ? this.#object[key] : null;
  }

  #asString(
    value: unknown,
    name: string,
    path: JsonPath,
  ): string | undefined {
    if (typeof value === "string") return value;
    if (this.#strictness === "weak") {
      if (typeof value === "number") return wholeNumber(value);
      if (typeof value === "boolean") return value ? "1" : "0";
    }
    const hint = typeof value === "number" || typeof value === "boolean"
      ? "; put it in quotes"
      : "";
    this.#problems.add(
      [...this.#path, ...path],
      `${this.#label}'${name}' expected type 'string', got ${
        describeType(value)
      }${hint}`,
    );
  }

  #refuse(key: string, message: string): undefined {
    this.#problems.add([...this.#path, key], this.#label + message);
  }
}

/** Formats a number without an exponent, as Go's strconv.FormatFloat(f, 'f', -1, 64). */
function wholeNumber(value: number): string {
  const text = String(value);
  if (!text.includes("e")) return text;
  const [mantissa, exponent] = text.split("e") as [string, string];
  const [whole, fraction = ""] = mantissa.replace("-", "").split(".") as [
    string,
    string?,
  ];
  const point = whole.length + Number(exponent);
  const digits = whole + fraction;
  const number = point <= 0
    ? `0.${"0".repeat(-point)}${digits}`
    : digits.padEnd(point, "0");
  return value < 0 ? `-${number}` : number;
}
