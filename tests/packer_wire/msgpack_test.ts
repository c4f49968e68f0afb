// MessagePack: what Go writes, in pieces of any size, within limits.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../plugin/rpc/protocol.ts";
import {
  encodeMsgpack,
  Float64,
  MsgpackDecoder,
  MsgpackExtension,
  type MsgpackLimits,
} from "../../plugin/packer_wire/msgpack.ts";
import { hex } from "./support.ts";
import { workingTime } from "../support/working_time.ts";

function decodeAll(
  bytes: Uint8Array,
  piece = bytes.length,
  limits: Partial<MsgpackLimits> = {},
): unknown[] {
  const decoder = new MsgpackDecoder(limits);
  const values: unknown[] = [];
  for (let at = 0; at < bytes.length; at += piece) {
    decoder.push(bytes.subarray(at, at + piece));
    for (let next; (next = decoder.next()) !== undefined;) {
      values.push(next.value);
    }
  }
  assertEquals(decoder.waitingBytes, 0);
  return values;
}

const bytes = (length: number) => new Uint8Array(length).fill(1);

/** Values in the one form that this side writes. */
const VALUES: readonly (readonly [value: unknown, digits: string])[] = [
  [null, "c0"],
  [false, "c2"],
  [true, "c3"],
  [0, "00"],
  [127, "7f"],
  [128, "cc80"],
  [255, "ccff"],
  [256, "cd0100"],
  [65535, "cdffff"],
  [65536, "ce00010000"],
  [2 ** 32 - 1, "ceffffffff"],
  [2 ** 32, "cf0000000100000000"],
  [Number.MAX_SAFE_INTEGER, "cf001fffffffffffff"],
  [2n ** 64n - 1n, "cfffffffffffffffff"],
  [-1, "ff"],
  [-32, "e0"],
  [-33, "d0df"],
  [-128, "d080"],
  [-129, "d1ff7f"],
  [-32768, "d18000"],
  [-32769, "d2ffff7fff"],
  [-(2 ** 31), "d280000000"],
  [-(2 ** 31) - 1, "d3ffffffff7fffffff"],
  [-(2n ** 63n), "d38000000000000000"],
  [1.5, "cb3ff8000000000000"],
  [2 ** 60, "cb43b0000000000000"],
  [Infinity, "cb7ff0000000000000"],
  ["", "a0"],
  ["abc", "a3616263"],
  ["é€😀", "a9c3a9e282acf09f9880"],
  ["x".repeat(31), `bf${"78".repeat(31)}`],
  ["x".repeat(32), `d920${"78".repeat(32)}`],
  ["x".repeat(256), `da0100${"78".repeat(256)}`],
  ["x".repeat(65536), `db00010000${"78".repeat(65536)}`],
  [bytes(0), "c400"],
  [bytes(255), `c4ff${"01".repeat(255)}`],
  [bytes(256), `c50100${"01".repeat(256)}`],
  [bytes(65536), `c600010000${"01".repeat(65536)}`],
  [[], "90"],
  [Array(15).fill(1), `9f${"01".repeat(15)}`],
  [Array(16).fill(1), `dc0010${"01".repeat(16)}`],
  [Array(65536).fill(1), `dd00010000${"01".repeat(65536)}`],
  [{}, "80"],
  [{ a: 1, b: { c: [null] } }, "82a16101a16281a16391c0"],
];

Deno.test("each value has the smallest form there is, and is read back", () => {
  for (const [value, digits] of VALUES) {
    assertEquals(encodeMsgpack(value), hex(digits), digits.slice(0, 40));
    assertEquals(decodeAll(hex(digits)), [value], digits.slice(0, 40));
  }
});

Deno.test("a map of 16 and of 65,536 keys", () => {
  for (
    const [count, head] of [[16, "de0010"], [65536, "df00010000"]] as const
  ) {
    const map = Object.fromEntries(
      Array.from({ length: count }, (_, key) => [`k${key}`, key]),
    );
    const encoded = encodeMsgpack(map);
    assertEquals(encoded.subarray(0, head.length / 2), hex(head));
    assertEquals(decodeAll(encoded), [map]);
  }
});

/** What Go may write, and this side does not. */
const FOREIGN: readonly (readonly [digits: string, value: unknown])[] = [
  ["ca3fc00000", 1.5],
  ["cb402a000000000000", 13],
  ["cc01", 1],
  ["cf0000000000000001", 1],
  ["d30000000000000001", 1],
  ["d3ffffffffffffffff", -1],
  ["cf7fffffffffffffff", 2n ** 63n - 1n],
  ["d900", ""],
  ["dc0001c0", [null]],
  ["de0001a16101", { a: 1 }],
  // Keys that are numbers, booleans, bytes or nil.
  ["840701c202c4016203c004", { "7": 1, "false": 2, b: 3, "null": 4 }],
  // A time of ext -1: 4, 8 and 12 bytes.
  ["d6ff00000001", new Date(1000)],
  ["d7ff0000000000000002", new Date(2000)],
  ["c70cff00000000ffffffffffffffff", new Date(-1000)],
  ["d40507", new MsgpackExtension(5, new Uint8Array([7]))],
  ["c7030501 0203", new MsgpackExtension(5, new Uint8Array([1, 2, 3]))],
];

Deno.test("forms that only the other side writes are read", () => {
  for (const [digits, value] of FOREIGN) {
    assertEquals(decodeAll(hex(digits)), [value], digits);
  }
});

Deno.test("a number that Go is to read as a float is written as one", () => {
  assertEquals(encodeMsgpack(new Float64(13)), hex("cb402a000000000000"));
});

Deno.test("undefined is nil, and left out of objects", () => {
  assertEquals(encodeMsgpack(undefined), hex("c0"));
  assertEquals(encodeMsgpack({ a: undefined, b: 1 }), hex("81a16201"));
  assertEquals(encodeMsgpack(new Map([[1, 2]])), hex("81a13102"));
  assertEquals(
    decodeAll(encodeMsgpack(new Date(0))),
    ["1970-01-01T00:00:00.000Z"],
  );
});

Deno.test("what cannot be sent is refused", () => {
  const circle: unknown[] = [];
  circle.push(circle);
  for (
    const value of [() => {}, Symbol(), 2n ** 64n, -(2n ** 63n) - 1n, circle]
  ) {
    assertThrows(() => encodeMsgpack(value), TypeError, "to Packer");
  }
});

Deno.test("a key __proto__ is a key like any other", () => {
  const [value] = decodeAll(
    encodeMsgpack(JSON.parse('{"__proto__": {"x": 1}}')),
  );
  assertEquals(Object.keys(value as object), ["__proto__"]);
  assertEquals(Object.getPrototypeOf(value), Object.prototype);
  assertEquals(({} as { x?: number }).x, undefined);
});

Deno.test("values come in pieces of any size, back to back", () => {
  const all = VALUES.map(([value]) => value);
  const encoded = all.flatMap((value) => [...encodeMsgpack(value)]);
  for (const piece of [1, 2, 3, 7, 1000, 65537]) {
    assertEquals(decodeAll(Uint8Array.from(encoded), piece), all);
  }
});

Deno.test("a string that is no UTF-8 does not end the connection", () => {
  assertEquals(decodeAll(hex("a2ff61")), ["\ufffda"]);
});

/** Small messages that would be expensive if they were believed. */
const EXPENSIVE: Record<
  string,
  [digits: string, limits?: Partial<MsgpackLimits>]
> = {
  "a list that says it has 2^32 - 1 items": ["ddffffffff"],
  "a map that says it has 2^32 - 1 keys": ["dfffffffff"],
  "lists of a million items in one another": ["dd000f4240".repeat(100)],
  "a string of 4 GiB": ["dbffffffff"],
  "bytes of 4 GiB": ["c6ffffffff"],
  "an extension of 4 GiB": ["c9ffffffff05"],
  "lists in one another without end": ["91".repeat(1001)],
  "maps in one another without end": ["81a0".repeat(1001)],
  "a byte that means nothing": ["c1"],
  "a map whose key is a list": ["819001"],
  "a value of more bytes than the limit": [
    `dc000a${"c402aaaa".repeat(10)}`,
    { messageBytes: 20 },
  ],
};

for (const [what, [digits, limits]] of Object.entries(EXPENSIVE)) {
  Deno.test(`refused at once: ${what}`, () => {
    const before = Deno.memoryUsage().rss;
    assertThrows(
      () => decodeAll(hex(digits), undefined, limits),
      ProtocolError,
    );
    assert(Deno.memoryUsage().rss - before < 50e6);
  });
}

Deno.test("as deep as the limit is read", () => {
  let value = decodeAll(hex(`${"91".repeat(1000)}c0`))[0];
  for (let depth = 0; depth < 1000; depth++) value = (value as unknown[])[0];
  assertEquals(value, null);
});

Deno.test("16 MB that come in pieces of 1 kB cost no more than four times those of 16 kB", () => {
  const encoded = encodeMsgpack(new Uint8Array(16e6));
  const time = (piece: number) => {
    const begin = workingTime();
    decodeAll(encoded, piece);
    return workingTime() - begin;
  };
  time(16_384);
  const [few, many] = [time(16_384), time(1024)];
  assert(many < 4 * few + 200, `${many} ms, ${few} ms`);
});

Deno.test("a list of 900,000 that comes byte by byte is scanned once", () => {
  const encoded = encodeMsgpack(Array(900_000).fill(1));
  const begin = workingTime();
  decodeAll(encoded, 1);
  assert(workingTime() - begin < 3000);
});
