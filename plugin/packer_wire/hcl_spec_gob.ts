// hcldec.ObjectSpec in gob. Go writes the definitions of types where it first
// meets them, in the middle of values; here they all come first, each in a
// message of its own, which Go's decoder reads the same.

import {
  defineGobEncoder,
  defineMap,
  defineStruct,
  FIRST_GOB_TYPE,
  gobBytes,
  gobInt,
  gobInterface,
  gobMessage,
  GobType,
  gobUint,
} from "./gob.ts";
import type { CtyType, ObjectSpec, Spec } from "./hcl_spec.ts";

const OBJECT_SPEC = FIRST_GOB_TYPE;
const CTY_TYPE = FIRST_GOB_TYPE + 1;
const ATTR_SPEC = FIRST_GOB_TYPE + 2;
const BLOCK_SPEC = FIRST_GOB_TYPE + 3;
const BLOCK_LIST_SPEC = FIRST_GOB_TYPE + 4;

const DEFINITIONS = [
  defineMap(OBJECT_SPEC, "ObjectSpec", GobType.String, GobType.Interface),
  defineGobEncoder(CTY_TYPE, "Type"),
  defineStruct(ATTR_SPEC, "AttrSpec", [
    ["Name", GobType.String],
    ["Type", CTY_TYPE],
    ["Required", GobType.Bool],
  ]),
  defineStruct(BLOCK_SPEC, "BlockSpec", [
    ["TypeName", GobType.String],
    ["Nested", GobType.Interface],
    ["Required", GobType.Bool],
  ]),
  defineStruct(BLOCK_LIST_SPEC, "BlockListSpec", [
    ["TypeName", GobType.String],
    ["Nested", GobType.Interface],
    ["MinItems", GobType.Int],
    ["MaxItems", GobType.Int],
  ]),
];

/**
 * Encodes a specification as a gob stream of one value.
 *
 * @param spec The specification.
 */
export function encodeGobSpec(spec: ObjectSpec): Uint8Array {
  return Uint8Array.from([
    ...DEFINITIONS.flat(),
    // A value that is no struct has a 0 before it.
    ...gobMessage(gobInt(OBJECT_SPEC), [0], attributesOf(spec)),
  ]);
}

function attributesOf({ attributes }: ObjectSpec): number[] {
  const entries = Object.entries(attributes);
  return [
    ...gobUint(entries.length),
    ...entries.flatMap((
      [name, spec],
    ) => [...gobBytes(name), ...interfaceOf(spec)]),
  ];
}

/** A specification as an interface value, under the name that Packer registers. */
function interfaceOf(spec: Spec): number[] {
  switch (spec.kind) {
    case "object":
      return gobInterface(
        "github.com/hashicorp/hcl/v2/hcldec.ObjectSpec",
        OBJECT_SPEC,
        [0],
        attributesOf(spec),
      );
    case "attr":
      return gobInterface(
        "*hcldec.AttrSpec",
        ATTR_SPEC,
        [1],
        gobBytes(spec.name),
        [1],
        gobBytes(typeStream(spec.type)),
        spec.required ? [1, 1] : [],
        [0],
      );
    case "block":
      return gobInterface(
        "*hcldec.BlockSpec",
        BLOCK_SPEC,
        [1],
        gobBytes(spec.name),
        [1],
        interfaceOf(spec.nested),
        spec.required ? [1, 1] : [],
        [0],
      );
    case "block_list":
      return gobInterface(
        "*hcldec.BlockListSpec",
        BLOCK_LIST_SPEC,
        [1],
        gobBytes(spec.name),
        [1],
        interfaceOf(spec.nested),
        [0],
      );
  }
}

const PACKAGE = "github.com/zclconf/go-cty/cty";

const GOB_TYPE = FIRST_GOB_TYPE;
const PRIMITIVE_TYPE = FIRST_GOB_TYPE + 1;
const TYPE_LIST = FIRST_GOB_TYPE + 2;
const TYPE_MAP = FIRST_GOB_TYPE + 3;
const ELEMENT_TYPE = FIRST_GOB_TYPE + 4;

const TYPE_DEFINITIONS = [
  defineStruct(GOB_TYPE, "gobType", [
    ["Version", GobType.Int],
    ["Impl", GobType.Interface],
  ]),
];

const PRIMITIVE_DEFINITIONS = [
  defineStruct(PRIMITIVE_TYPE, "primitiveType", [["Kind", GobType.Uint]]),
];

const COLLECTION_DEFINITIONS = [
  defineGobEncoder(ELEMENT_TYPE, "Type"),
  defineStruct(TYPE_LIST, "typeList", [["ElementTypeT", ELEMENT_TYPE]]),
  defineStruct(TYPE_MAP, "typeMap", [["ElementTypeT", ELEMENT_TYPE]]),
];

/** How Go calls the primitive types: by a letter. */
const PRIMITIVES = { string: "S", number: "N", bool: "B" } as const;

/** A type of cty encodes itself as a gob stream of its own: `gobType{Impl: ...}`. */
function typeStream(type: CtyType): number[] {
  const [definitions, implementation] = typeof type === "string"
    ? [
      PRIMITIVE_DEFINITIONS,
      gobInterface(
        `${PACKAGE}.primitiveType`,
        PRIMITIVE_TYPE,
        [1],
        gobUint(PRIMITIVES[type].charCodeAt(0)),
        [0],
      ),
    ]
    : [
      COLLECTION_DEFINITIONS,
      "list" in type
        ? collection("typeList", TYPE_LIST, type.list)
        : collection("typeMap", TYPE_MAP, type.map),
    ];
  return [
    ...TYPE_DEFINITIONS.flat(),
    ...definitions.flat(),
    ...gobMessage(gobInt(GOB_TYPE), [2], implementation, [0]),
  ];
}

function collection(name: string, id: number, element: CtyType): number[] {
  return gobInterface(
    `${PACKAGE}.${name}`,
    id,
    [1],
    gobBytes(typeStream(element)),
    [0],
  );
}
