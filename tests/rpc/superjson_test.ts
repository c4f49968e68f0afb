// The encoder writes exactly what superjson writes.

import { assertEquals, assertStrictEquals } from "@std/assert";
import superjson from "superjson";
import { isPlainJson } from "../../plugin/rpc/plain_json.ts";
import { Connection } from "../../plugin/rpc/connection.ts";
import { MessageCost } from "../../plugin/rpc/message_cost.ts";
import { encodeTree } from "../../plugin/rpc/superjson_encoder.ts";
import { Chance } from "../conformance/random_values.ts";

const KEYS = [
  "a",
  "b",
  "0",
  "12",
  "",
  "a.b",
  "back\\slash",
  "\\.",
  "ä 🧱",
  "\u2028",
];

/** Returns a value of the kinds that superjson supports, sometimes with an object that occurs twice. */
function valueOf(chance: Chance, depth: number, made: unknown[]): unknown {
  if (made.length > 0 && chance.below(40) === 0) return chance.of(made);
  const inside = () => valueOf(chance, depth - 1, made);
  const kind = chance.below(depth > 0 ? 16 : 11);
  const value = (() => {
    switch (kind) {
      case 0:
        return chance.of([null, true, false]);
      case 1:
        return chance.of(["", "x", "grüße 🧱", '"\n', "\ud800", "__proto__"]);
      case 2:
        return chance.of([0, -1, 0.1, 1e21, 5e-324, 2 ** 53, 1e-7]);
      case 3:
        return chance.of([-0, NaN, Infinity, -Infinity]);
      case 4:
        return undefined;
      case 5:
        return BigInt(chance.below(1000)) ** 9n;
      case 6:
        return new Date(chance.below(2 ** 31) * 1000 - chance.below(1e9));
      case 7:
        return new URL(`https://example.com/${chance.below(9)}?q=ä#x`);
      case 8:
        return new RegExp(
          chance.of(["a/b", "\\d+", "ü"]),
          chance.of(["", "gi"]),
        );
      case 9:
      case 10:
        return `text ${chance.below(1000)}`;
      case 11:
        return chance.list(4, inside);
      case 12:
        return new Set(chance.list(4, inside));
      case 13:
        return new Map(
          chance.list(4, () => [inside(), inside()] as [unknown, unknown]),
        );
      default:
        return Object.fromEntries(
          chance.list(5, () => [chance.of(KEYS), inside()]),
        );
    }
  })();
  if (typeof value === "object" && value !== null) made.push(value);
  return value;
}

Deno.test("encodeTree() writes 100,000 values as superjson does, or leaves them to it", () => {
  const chance = new Chance(20130610);
  let plain = 0;
  let trees = 0;
  for (let count = 0; count < 100_000; count++) {
    const message = { call: count, args: [valueOf(chance, 4, [])] };
    const expected = superjson.stringify(message);
    if (isPlainJson(message)) {
      plain++;
      assertEquals(`{"json":${JSON.stringify(message)}}`, expected);
    }
    const written = encodeTree(message, () => undefined, new MessageCost());
    if (written === undefined) continue;
    trees++;
    if (JSON.stringify(written) !== expected) {
      assertEquals(JSON.stringify(written), expected);
    }
  }
  // Both cases must occur.
  assertEquals(plain > 20_000, true, `${plain} plain`);
  assertEquals(trees > 80_000, true, `${trees} trees`);
});

Deno.test("sets and maps that contain their own ancestors arrive unchanged", async () => {
  // superjson writes each ancestor as null, of which a set keeps one.
  const inner: Record<string, unknown> = { name: "inner" };
  const outer: Record<string, unknown> = { inner };
  inner.set = new Set<unknown>([outer, inner, null, 1]);
  inner.map = new Map<unknown, unknown>([[outer, 1], [null, 2], [inner, 3]]);
  const nested = new Set<unknown>([null]);
  outer.sets = new Set<unknown>([null, nested, outer]);
  nested.add(outer.sets).add(nested);

  // deno-lint-ignore no-explicit-any -- what arrives is looked into.
  const got = await roundTrip(outer) as any;
  const set = [...got.inner.set];
  assertEquals(set.length, 4);
  assertStrictEquals(set[0], got);
  assertStrictEquals(set[1], got.inner);
  assertEquals(set.slice(2), [null, 1]);
  const map = [...got.inner.map];
  assertEquals(map.map(([, value]) => value), [1, 2, 3]);
  assertStrictEquals(map[0][0], got);
  assertStrictEquals(map[1][0], null);
  assertStrictEquals(map[2][0], got.inner);
  const [first, gotNested, last] = [...got.sets];
  assertEquals(first, null);
  assertStrictEquals(last, got);
  const [one, two, three] = [...gotNested];
  assertEquals(one, null);
  assertStrictEquals(two, got.sets);
  assertStrictEquals(three, gotNested);
});

async function roundTrip(value: unknown): Promise<unknown> {
  const ends: Connection[] = [];
  const connect = (other: number, root: object) =>
    new Connection({
      write: (bytes) => void ends[other]!.receive(bytes.slice()),
    }, {
      peer: "the other side",
      root,
      onProtocolError: (error) => error,
    });
  ends.push(connect(1, {}), connect(0, { echo: (back: unknown) => back }));
  return await ends[0]!.call(0, "echo", [value]);
}
