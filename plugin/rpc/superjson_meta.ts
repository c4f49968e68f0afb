// What the decoder of superjson's format is made of: paths, errors, and the state of
// the decoding of one document.

import type { MessageCost } from "./message_cost.ts";
import { excerpt, ProtocolError } from "./protocol.ts";
import { isPlainObject } from "./value_kind.ts";

/** Makes the value of a custom annotation. */
export type ReadCustom = (name: string, json: unknown) => unknown;

/** What all documents of one message share. */
export interface ReadOptions {
  /** Makes the values of the annotations `["custom", NAME]`. */
  readCustom: ReadCustom;
  /** The cost of the message so far. */
  cost: MessageCost;
}

/** The state of the decoding of one document. */
export interface Reading extends ReadOptions {
  /**
   * The items of sets and maps as they were sent. Two items that are equal to
   * objects elsewhere in the message are both `null` at first, of which a set
   * keeps one.
   */
  lists: Map<unknown, unknown[]>;
}

/** Splits a path at its dots; a backslash escapes a dot or a backslash of a key. */
export function parsePath(path: string): string[] {
  if (!path.includes("\\")) return path.split(".");
  const keys = [""];
  for (let index = 0; index < path.length; index++) {
    let character = path[index]!;
    if (character === ".") {
      keys.push("");
      continue;
    }
    if (character === "\\") {
      character = path[++index]!;
      if (character !== "." && character !== "\\") {
        throw metaError(`${excerpt(path)} is not a path`);
      }
    }
    keys[keys.length - 1] += character;
  }
  return keys;
}

/** Whether a value is a plain object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    isPlainObject(value);
}

/** Makes the error for `meta` that does not fit its JSON. */
export function metaError(what: string): ProtocolError {
  return new ProtocolError(`a message's meta does not fit it: ${what}`);
}
