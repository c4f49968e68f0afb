// Decodes messages: applies superjson's `meta`, and makes the values of the custom
// annotations.

import { errorFromRecord } from "./error_record.ts";
import type { Frame } from "./frame_reader.ts";
import { CostError, MessageCost } from "./message_cost.ts";
import { describeValue, excerpt, ProtocolError } from "./protocol.ts";
import type { MessageScope } from "./references/message_scope.ts";
import type { References } from "./references/references.ts";
import { applyMeta } from "./superjson_decoder.ts";
import type { ReadCustom, ReadOptions } from "./superjson_meta.ts";
import { BufferReader } from "./typed_arrays.ts";

/**
 * Decodes a message.
 *
 * @param frame The message as it arrived.
 * @param references The references of the connection.
 * @param scope Gets the references in the message.
 * @throws {ProtocolError} When it is inconsistent, or exceeds a limit.
 */
export function decode(
  frame: Frame,
  references: References,
  scope: MessageScope,
): Record<string, unknown> {
  // Plain JSON, as most messages are.
  if (frame.meta === undefined) return frame.json;
  let message: unknown;
  try {
    message = applyMeta(
      frame.json,
      frame.meta,
      readOptions(frame, references, scope),
    );
  } catch (error) {
    if (!(error instanceof CostError)) throw error;
    throw new ProtocolError(`a message has ${error.message}`, { cause: error });
  }
  if (typeof message !== "object" || message === null) {
    throw new ProtocolError("invalid message: `json` is not an object");
  }
  return message as Record<string, unknown>;
}

/** Returns what makes the values of the custom annotations of one message. */
function readOptions(
  frame: Frame,
  references: References,
  scope: MessageScope,
): ReadOptions {
  const cost = new MessageCost();
  const buffers = new BufferReader();
  const bytesAt = (index: unknown): Uint8Array => {
    const bytes = Number.isInteger(index)
      ? frame.payload.parts[index as number]
      : undefined;
    if (bytes === undefined) {
      throw new ProtocolError(`there are no bytes ${describeValue(index)}`);
    }
    return bytes;
  };
  const decodeNested = (document: unknown): unknown => {
    if (
      typeof document !== "object" || document === null ||
      !Object.hasOwn(document, "json")
    ) {
      throw new ProtocolError("a nested value is not a superjson document");
    }
    const { json, meta } = document as { json: unknown; meta?: unknown };
    return meta === undefined ? json : applyMeta(json, meta, options);
  };
  const readCustom: ReadCustom = (name, json) => {
    if (name === "bytes") return bytesAt(json);
    if (typeof json !== "object" || json === null) {
      throw new ProtocolError(`invalid ${excerpt(name)}: it is not an object`);
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
        return references.imports.importValue(
          name,
          record,
          scope,
          decodeNested,
        );
      default:
        throw new ProtocolError(`there is no annotation ${excerpt(name)}`);
    }
  };
  const options = { readCustom, cost };
  return options;
}
