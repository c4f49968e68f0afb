// The reply of `ConfigSpec`, which Packer asks for before it reads an HCL2
// template: the specification of the declared options, in gob or, since Packer
// 1.12, in protobuf.

import type { Option, Options } from "../contract/options.ts";
import type { CtyType, ObjectSpec, Spec } from "./hcl_spec.ts";
import { encodeGobSpec } from "./hcl_spec_gob.ts";
import { encodeProtobufSpec } from "./hcl_spec_protobuf.ts";

/**
 * How a specification is encoded: `start KIND --protobuf NAME` tells. Packer 1.6
 * gets no blocks in gob: its builds register the type of a block's content under
 * two names, and end at the one that they do not know.
 */
export type SpecEncoding = "gob" | "gob without blocks" | "protobuf";

/**
 * Encodes a specification for the reply of `ConfigSpec`.
 *
 * @param spec The specification.
 * @param encoding What the host understands.
 */
export function encodeSpec(
  spec: ObjectSpec,
  encoding: SpecEncoding,
): Uint8Array {
  return encoding === "protobuf"
    ? encodeProtobufSpec(spec)
    : encodeGobSpec(spec);
}

/**
 * The specification of declared options.
 *
 * @param options What a component declares; nothing can be given in HCL2 when it declares none.
 * @param hasBlocks False where an option with options of its own is a string, which has JSON in it.
 */
export function specOfOptions(
  options: Options | undefined,
  hasBlocks = true,
): ObjectSpec {
  return {
    kind: "object",
    attributes: Object.fromEntries(
      Object.entries(options ?? {}).map((
        [name, option],
      ) => [name, specOfOption(name, option, hasBlocks)]),
    ),
  };
}

/**
 * The types that HCL2 has. Values of all others are strings there: a duration,
 * and JSON where any value may stand, since neither encoding can say "any type".
 */
const TYPES: Readonly<Record<string, CtyType>> = {
  number: "number",
  boolean: "bool",
  strings: { list: "string" },
  map: { map: "string" },
};

function specOfOption(name: string, option: Option, hasBlocks: boolean): Spec {
  const required = option.required === true && option.default === undefined;
  if ("options" in option && hasBlocks) {
    const nested = specOfOptions(option.options);
    return option.type === "object"
      ? { kind: "block", name, nested, required }
      // No encoding has the least number of blocks: the decoder checks that.
      : { kind: "block_list", name, nested };
  }
  const type = TYPES[option.type] ?? "string";
  return { kind: "attr", name, type, required };
}
