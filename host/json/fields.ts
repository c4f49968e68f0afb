// The fields of a template's parts, decoded as Packer decodes them, with
// every problem remembered together with its place.

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
   * No problems yet.
   *
   * @param document The document that they are in.
   */
  constructor(document: JsonDocument) {
    this.document = document;
  }

  /** How many there are. */
  get count(): number {
    return this.#found.length;
  }

  /**
   * Remembers one.
   *
   * @param path Where it is.
   * @param message What is wrong, and what to do.
   * @param where Whether the key or the value is at fault.
   */
  add(path: JsonPath, message: string, where: "key" | "value" = "value"): void {
    this.#found.push({ message, location: this.document.locate(path, where) });
  }

  /**
   * Remembers a key that is not known.
   *
   * @param path Where it is.
   * @param message What to say of it, without the hint.
   * @param known The keys that are known there.
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
   * Ends the reading when there is a problem.
   *
   * @throws {SourceError} With all of them.
   */
  throwIfAny(): void {
    if (this.#found.length > 0) {
      throw new SourceError(this.#found, this.document.source);
    }
  }
}

/** How loosely fields are decoded. */
export type Strictness =
  /** Numbers and booleans serve as texts, one value as a list of it. */
  | "weak"
  /** A value has to be of the field's type. */
  | "strict";

/**
 * Reads the fields of one part of a template. null is as good as no field,
 * as everywhere in Packer.
 */
export class Fields {
  readonly #object: JsonObject;
  readonly #path: JsonPath;
  readonly #label: string;
  readonly #strictness: Strictness;
  readonly #problems: Diagnostics;

  /**
   * The fields of one part.
   *
   * @param object The part.
   * @param path Where it is.
   * @param label What problems call it, for example `"builder 1: "`.
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

  /** A text, "" where there is none; undefined where it is none. */
  text(key: string): string | undefined {
    const value = this.#value(key);
    return value === null ? "" : this.#asText(value, key, [key]);
  }

  /** A list of texts, empty where there is none; undefined where it is none. */
  texts(key: string): string[] | undefined {
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
    const texts = list.map((item, index) =>
      item === null ? "" : this.#asText(
        item,
        `${key}[${index}]`,
        Array.isArray(value) ? [key, index] : [key],
      )
    );
    return texts.includes(undefined) ? undefined : texts as string[];
  }

  /** True or false, or undefined where there is neither. */
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

  /** An object, or undefined where there is none. */
  object(key: string): JsonObject | undefined {
    const value = this.#value(key);
    if (value === null) return undefined;
    if (isObject(value)) return value;
    // Packer takes a list of objects for the object that they make up together.
    const isLoose = this.#strictness === "weak";
    if (isLoose && Array.isArray(value) && value.every(isObject)) {
      return Object.assign({}, ...value);
    }
    return this.#refuse(
      key,
      `'${key}' expected a map, got ${describeType(value)}`,
    );
  }

  /** A duration in milliseconds, 0 where there is none. */
  duration(key: string): number | undefined {
    const value = this.#value(key);
    if (value === null) return 0;
    // Go's durations are whole nanoseconds, and so Packer takes a bare number.
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

  /** What is left of the part without these fields. */
  without(keys: readonly string[]): JsonObject {
    return Object.fromEntries(
      Object.entries(this.#object).filter(([key]) => !keys.includes(key)),
    );
  }

  #value(key: string): unknown {
    return Object.hasOwn(this.#object, key) ? this.#object[key] : null;
  }

  #asText(
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

/** A number without an exponent, as Go's strconv.FormatFloat(f, 'f', -1, 64) writes it. */
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
