// Gob and protobuf beside bytes that Go wrote.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  encodeSpec,
  specOfOptions,
} from "../../plugin/packer_wire/config_spec.ts";
import {
  decodeCommandFinished,
  encodeCommandFinished,
  gobInt,
  gobUint,
} from "../../plugin/packer_wire/gob.ts";
import type { ObjectSpec } from "../../plugin/packer_wire/hcl_spec.ts";
import { decodeProtobufSpec } from "../../plugin/packer_wire/hcl_spec_protobuf.ts";
import { ProtocolError } from "../../plugin/rpc/protocol.ts";
import { decodeGob } from "./gob_decoder.ts";
import { hex } from "./support.ts";

const DEFINITION = "2cff810301010f436f6d6d616e6446696e697368656401ff820001" +
  "01010a45786974537461747573010400" + "0000";

/** CommandFinished{ExitStatus} as encoding/gob wrote it. */
const STATUSES: readonly (readonly [status: number, digits: string])[] = [
  [0, "03ff8200"],
  [1, "05ff82010200"],
  [-1, "05ff82010100"],
  [2300218, "08ff8201fd46327400"],
];

Deno.test("the status of a command has the bytes of Go, and is read from them", () => {
  for (const [status, digits] of STATUSES) {
    const bytes = hex(DEFINITION + digits);
    assertEquals(encodeCommandFinished(status), bytes);
    assertEquals(decodeCommandFinished(bytes), status);
    for (let length = 0; length < bytes.length; length++) {
      assertEquals(decodeCommandFinished(bytes.subarray(0, length)), undefined);
    }
  }
  for (const status of [127, 128, 255, 256, -128, 2 ** 31 - 1, -(2 ** 31)]) {
    assertEquals(decodeCommandFinished(encodeCommandFinished(status)), status);
  }
});

Deno.test("a status that is none is refused", () => {
  assertThrows(
    () => decodeCommandFinished(hex(`${DEFINITION}05ff82050200`)),
    ProtocolError,
  );
  assertThrows(
    () => decodeCommandFinished(new Uint8Array(5000)),
    ProtocolError,
  );
  assertThrows(() => decodeCommandFinished(hex("80")), ProtocolError);
});

Deno.test("gob's numbers", () => {
  assertEquals(gobUint(7), [7]);
  assertEquals(gobUint(256), [0xfe, 1, 0]);
  assertEquals(gobInt(-129), [0xfe, 1, 1]);
  assertEquals(gobInt(2 ** 40), [0xfa, 2, 0, 0, 0, 0, 0]);
});

const string = (required = false) =>
  ({ kind: "attr", name: "whom", type: "string", required }) as const;

const nested: ObjectSpec = {
  kind: "object",
  attributes: {
    x: { kind: "attr", name: "x", type: "string", required: false },
  },
};

/** Specifications, with the bytes of encoding/gob for the same. */
const SPECS: Record<string, [spec: ObjectSpec, ofGo?: string]> = {
  "an empty one": [
    { kind: "object", attributes: {} },
    "1aff910401010a4f626a6563745370656301ff9200010c0110000004ff920000",
  ],
  "a string": [
    { kind: "object", attributes: { whom: string() } },
    "1aff910401010a4f626a6563745370656301ff9200010c0110000050ff9200010477686f6d102a68636c6465632e4174747253706563ff9303010108417474725370656301ff9400010301044e616d65010c0001045479706501ff840001085265717569726564010200000010ff83050101045479706501ff84000000ff95ff94ff91010477686f6d01ff872aff8503010107676f625479706501ff86000102010756657273696f6e0104000104496d706c011000000053ff86022b6769746875622e636f6d2f7a636c636f6e662f676f2d6374792f6374792e7072696d697469766554797065ff870301010d7072696d69746976655479706501ff8800010101044b696e64010600000007ff88030153000000",
  ],
  "a string that is required": [
    { kind: "object", attributes: { whom: string(true) } },
    "1aff910401010a4f626a6563745370656301ff9200010c0110000050ff9200010477686f6d102a68636c6465632e4174747253706563ff9303010108417474725370656301ff9400010301044e616d65010c0001045479706501ff840001085265717569726564010200000010ff83050101045479706501ff84000000ff97ff94ff93010477686f6d01ff872aff8503010107676f625479706501ff86000102010756657273696f6e0104000104496d706c011000000053ff86022b6769746875622e636f6d2f7a636c636f6e662f676f2d6374792f6374792e7072696d697469766554797065ff870301010d7072696d69746976655479706501ff8800010101044b696e640106000000" +
    "07ff880301530000010100",
  ],
  "a string and a list of numbers": [
    {
      kind: "object",
      attributes: {
        whom: string(),
        n: {
          kind: "attr",
          name: "n",
          type: { list: "number" },
          required: false,
        },
      },
    },
    "1aff910401010a4f626a6563745370656301ff9200010c0110000050ff9200020477686f6d102a68636c6465632e4174747253706563ff9303010108417474725370656301ff9400010301044e616d65010c0001045479706501ff840001085265717569726564010200000010ff83050101045479706501ff84000000fe01d6ff94ff91010477686f6d01ff872aff8503010107676f625479706501ff86000102010756657273696f6e0104000104496d706c011000000053ff86022b6769746875622e636f6d2f7a636c636f6e662f676f2d6374792f6374792e7072696d697469766554797065ff870301010d7072696d69746976655479706501ff8800010101044b696e64010600000007ff88030153000000016e102a68636c6465632e4174747253706563ff94fe012901016e01fe01212aff8503010107676f625479706501ff86000102010756657273696f6e0104000104496d706c011000000052ff8602266769746875622e636f6d2f7a636c636f6e662f676f2d6374792f6374792e747970654c697374ff8903010108747970654c69737401ff8a000101010c456c656d656e74547970655401ff8400000010ff83050101045479706501ff84000000ff90ff8aff8b01ff872aff8503010107676f625479706501ff86000102010756657273696f6e0104000104496d706c011000000053ff86022b6769746875622e636f6d2f7a636c636f6e662f676f2d6374792f6374792e7072696d697469766554797065ff870301010d7072696d69746976655479706501ff8800010101044b696e64010600000007ff8803014e0000000000",
  ],
  "blocks": [
    {
      kind: "object",
      attributes: { b: { kind: "block_list", name: "b", nested } },
    },
    "1aff910401010a4f626a6563745370656301ff9200010c0110000069ff9200010162152a68636c6465632e426c6f636b4c69737453706563ff950301010d426c6f636b4c6973745370656301ff960001040108547970654e616d65010c0001064e657374656401100001084d696e4974656d7301040001084d61784974656d730104000000fe012bff96fe0126010162012d6769746875622e636f6d2f6861736869636f72702f68636c2f76322f68636c6465632e4f626a65637453706563ff924b00010178102a68636c6465632e4174747253706563ff9303010108417474725370656301ff9400010301044e616d65010c0001045479706501ff840001085265717569726564010200000010ff83050101045479706501ff84000000ff92ff94ff8e01017801ff872aff8503010107676f625479706501ff86000102010756657273696f6e0104000104496d706c011000000053ff86022b6769746875622e636f6d2f7a636c636f6e662f676f2d6374792f6374792e7072696d697469766554797065ff870301010d7072696d69746976655479706501ff8800010101044b696e64010600000007ff8803015300000000",
  ],
  "one block": [
    {
      kind: "object",
      attributes: { b: { kind: "block", name: "b", nested, required: false } },
    },
    "1aff910401010a4f626a6563745370656301ff9200010c0110000054ff9200010162112a68636c6465632e426c6f636b53706563ff9703010109426c6f636b5370656301ff980001030108547970654e616d65010c0001064e6573746564011000010852657175697265640102000000fe012bff98fe0126010162012d6769746875622e636f6d2f6861736869636f72702f68636c2f76322f68636c6465632e4f626a65637453706563ff924b00010178102a68636c6465632e4174747253706563ff9303010108417474725370656301ff9400010301044e616d65010c0001045479706501ff840001085265717569726564010200000010ff83050101045479706501ff84000000ff92ff94ff8e01017801ff872aff8503010107676f625479706501ff86000102010756657273696f6e0104000104496d706c011000000053ff86022b6769746875622e636f6d2f7a636c636f6e662f676f2d6374792f6374792e7072696d697469766554797065ff870301010d7072696d69746976655479706501ff8800010101044b696e64010600000007ff8803015300000000",
  ],
  "every type, and a required block": [{
    kind: "object",
    attributes: {
      s: { kind: "attr", name: "s", type: "string", required: true },
      n: { kind: "attr", name: "n", type: "number", required: false },
      b: { kind: "attr", name: "b", type: "bool", required: false },
      m: { kind: "attr", name: "m", type: { map: "string" }, required: false },
      l: {
        kind: "attr",
        name: "l",
        type: { list: { list: "string" } },
        required: false,
      },
      o: { kind: "block", name: "o", nested, required: true },
      "ä": { kind: "attr", name: "ä", type: "string", required: false },
    },
  }],
};

for (const [what, [spec, ofGo]] of Object.entries(SPECS)) {
  Deno.test(`a specification with ${what} says in gob what Go's says`, () => {
    const ours = decodeGob(encodeSpec(spec, "gob"));
    if (ofGo !== undefined) assertEquals(ours, decodeGob(hex(ofGo)));
    const names = Object.keys(spec.attributes);
    assertEquals(Object.keys(ours as object).sort(), names.sort());
  });

  Deno.test(`a specification with ${what} crosses in protobuf`, () => {
    const bytes = encodeSpec(spec, "protobuf");
    assertEquals(decodeProtobufSpec(bytes), spec);
    for (let length = 1; length < bytes.length; length++) {
      assertThrows(
        () => decodeProtobufSpec(bytes.subarray(0, length)),
        ProtocolError,
      );
    }
  });
}

Deno.test("a protobuf that says it is deep or long is refused", () => {
  let deep = new Uint8Array(0);
  for (let depth = 0; depth < 200; depth++) {
    const entry = [0x12, ...varint(deep.length), ...deep];
    const object = [0x0a, ...varint(entry.length), ...entry];
    deep = Uint8Array.from([0x0a, ...varint(object.length), ...object]);
  }
  assertThrows(() => decodeProtobufSpec(deep), ProtocolError, "deeper");
  assertThrows(
    () => decodeProtobufSpec(hex("0affffffff0f")),
    ProtocolError,
  );
  assertThrows(
    () => decodeProtobufSpec(hex("0affffffffffffff01")),
    ProtocolError,
  );
});

function varint(value: number): number[] {
  return value < 128 ? [value] : [value % 128 | 128, ...varint(value >> 7)];
}

Deno.test("declared options become a specification", () => {
  const description = "";
  const spec = specOfOptions({
    name: { type: "string", description, required: true },
    size: { type: "number", description },
    fast: { type: "boolean", description },
    tags: { type: "strings", description },
    env: { type: "map", description },
    timeout: { type: "duration", description, required: true, default: 1000 },
    more: { type: "any", description },
  });
  const types = Object.fromEntries(
    Object.entries(spec.attributes).map(([name, attribute]) => {
      assert(attribute.kind === "attr" && attribute.name === name);
      return [name, [attribute.type, attribute.required]];
    }),
  );
  assertEquals(types, {
    name: ["string", true],
    size: ["number", false],
    fast: ["bool", false],
    tags: [{ list: "string" }, false],
    env: [{ map: "string" }, false],
    timeout: ["string", false],
    more: ["string", false],
  });
  assertEquals(specOfOptions(undefined).attributes, {});
});
