// The cost of writing a message: a process forwards values of others, and an object
// that occurs twice is written twice. A value that would take much time or memory
// is refused before it is written.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Connection } from "../../plugin/rpc/connection.ts";
import { workingTime } from "../support/working_time.ts";

/** How much CPU time refusing a value may take, in milliseconds. */
const MAX_CPU_MS = 3_000;

/** An object with itself, made to any depth, under each of its keys. */
function doubled<T>(depth: number, wrap: (inner: unknown) => T): T {
  let value: unknown = {};
  for (let level = 0; level < depth; level++) value = wrap(value);
  return value as T;
}

function nested(depth: number, value: unknown): unknown {
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

const VALUES: Record<string, () => unknown> = {
  "objects": () => doubled(60, (inner) => ({ a: inner, b: inner })),
  "lists": () => doubled(60, (inner) => [inner, inner]),
  "maps": () => doubled(60, (inner) => new Map([[1, inner], [2, inner]])),
  "keys of maps": () => doubled(60, (inner) => new Map([[inner, inner]])),
  "sets": () => doubled(60, (inner) => new Set([[inner], [inner]])),
  "errors": () =>
    doubled(
      60,
      (inner) => new AggregateError([inner, inner], "m", { cause: inner }),
    ),
  "errors that carry values": () =>
    doubled(60, (inner) => Object.assign(new Error("m"), { inner, b: inner })),
  "a few large lists": () => {
    const list = Array(100_000).fill(0);
    return Array(100).fill(list);
  },
  "a long string": () => {
    const object = { text: "x".repeat(10_000_000) };
    return Array(1_000).fill(object);
  },
  "objects that go by reference": () => {
    const list = Array(100_000).fill(0);
    return Array.from({ length: 1_000 }, () => ({ list, method() {} }));
  },
  "a deep list of values with annotations": () =>
    nested(900, Array(140_000).fill(undefined)),
  "the same, with an object in two places": () => {
    const shared = {};
    return [shared, shared, nested(900, Array(140_000).fill(undefined))];
  },
  "a deep list of many lists, with an object that occurs twice": () => {
    const shared = {};
    return [
      shared,
      shared,
      nested(900, Array.from({ length: 300_000 }, () => [])),
    ];
  },
};

for (const [name, make] of Object.entries(VALUES)) {
  Deno.test(`a value that is too large once it is written is not sent: ${name}`, async () => {
    const sent: Uint8Array[] = [];
    const connection = new Connection({
      write: (bytes) => void sent.push(bytes.slice()),
    }, { peer: "/plugin" });
    const value = make();
    const begin = workingTime();
    const error = await assertRejects(
      () => connection.call(0, "method", [value]),
      RangeError,
      "cannot be sent to another process",
    );
    const spent = workingTime() - begin;
    assert(spent < MAX_CPU_MS, `${spent} ms for ${error.message}`);
    assertEquals(sent, []);
    assertEquals(connection.references, { exported: 0, imported: 0 });
    connection.close(new Error("the end"));
  });
}

Deno.test("a result that is too large once it is written is an error for its caller", async () => {
  const sent: string[] = [];
  const connection = new Connection({
    write: (bytes) => void sent.push(new TextDecoder().decode(bytes)),
  }, {
    peer: "/plugin",
    root: { take: () => doubled(60, (inner) => [inner, inner]) },
  });
  connection.receive(
    new TextEncoder().encode('{"json":{"call":1,"method":"take"}}\n'),
  );
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert(/"throw":1.*more than 1000000 values/.test(sent.join("")));
  connection.close(new Error("the end"));
});

Deno.test("values that share objects are sent", async () => {
  const sent: string[] = [];
  const connection = new Connection({
    write: (bytes) => void sent.push(new TextDecoder().decode(bytes)),
  }, { peer: "/plugin" });
  const shared = { list: Array(1_000).fill("x"), map: new Map([[1, [2]]]) };
  const circular: Record<string, unknown> = { shared };
  circular.self = circular;
  const values = [
    Array(100).fill(shared),
    doubled(10, (inner) => [inner, inner]),
    circular,
    nested(900, [shared, shared]),
    [new Error("x", { cause: circular }), circular],
  ];
  for (const value of values) {
    connection.call(0, "method", [value]).catch(() => {});
  }
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(sent.join("").match(/"method":"method"/g)?.length, 5);
  connection.close(new Error("the end"));
});
