// Values: a value that is sent there and back is equal, and shared objects stay shared.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Chance, randomValue } from "./random_values.ts";
import type { Promises } from "./suite.ts";

/** The properties of a value that assertEquals() ignores, such as the sign of 0. */
function shown(value: unknown): string {
  return Deno.inspect(value, {
    depth: Infinity,
    iterableLimit: Infinity,
    strAbbreviateSize: Infinity,
    sorted: true,
  });
}

const samples: Record<string, unknown> = {
  "undefined": undefined,
  "null": null,
  "booleans": [true, false],
  "numbers": [0, -0, 1.5, NaN, Infinity, -Infinity, 5e-324, 2 ** 53, 1e300],
  "bigints": [0n, -1n, 2n ** 100n],
  "texts": ["", "a\nb", "grüße 🧱", "\u2028", "\0"],
  "Dates": [new Date(0), new Date(1e12 + 0.5), new Date(8.64e15)],
  "regular expressions": [/a\/b/gi, new RegExp("")],
  "URLs": new URL("https://user@a.example:81/b%20c?d=e#f"),
  "Sets": new Set<unknown>([1, "1", new Set([undefined]), { a: 1n }]),
  "Maps": new Map<unknown, unknown>([[{ a: 1n }, new Date(1)], [
    NaN,
    undefined,
  ]]),
  "typed arrays": [new Float64Array([0.1, 1e300]), new Int16Array([-1])],
  "typed arrays of numbers that JSON does not have": [
    new Float64Array([NaN, -0, Infinity, -Infinity]),
    new Float32Array([NaN]),
  ],
  "NaN in several places": [new Map([[NaN, 1]]), new Set([NaN]), NaN],
  "Uint8Arrays": [new Uint8Array(), new Uint8Array([0, 10, 13, 255])],
  "awkward keys": { "": 1n, ".": 2n, "a.b": { "c\\": 3n, "\\.": 4n }, "0": 5n },
  "objects that look like messages": {
    json: 1,
    meta: { values: { a: ["Date"] } },
  },
};

export const values: Promises = {
  ...Object.fromEntries(
    Object.entries(samples).map(([name, value]) =>
      [
        `gets ${name} and sends them back equal`,
        async ({ suite }) => {
          const back = await suite.echo(value);
          assertEquals(back, value);
          assertEquals(shown(back), shown(value));
        },
      ] satisfies [string, Promises[string]]
    ),
  ),

  "gets 300 random nested values and sends them back equal": async (
    { suite },
  ) => {
    for (let seed = 1; seed <= 300; seed++) {
      const value = randomValue(new Chance(seed));
      const back = await suite.echo(value);
      assertEquals(shown(back), shown(value), `seed ${seed}`);
    }
  },

  "takes and gives several values as arguments": async ({ suite }) => {
    assertEquals(
      await suite.callBack((...args: unknown[]) => args, 1n, undefined, [
        new Date(3),
      ]),
      [
        1n,
        undefined,
        [new Date(3)],
      ],
    );
    assertEquals(await suite.add(0.1, 0.2), 0.1 + 0.2);
  },

  "carries an error with its name, message, cause and properties": async (
    { suite },
  ) => {
    const cause = Object.assign(new TypeError("inner"), { at: new Date(5) });
    const error = Object.assign(new RangeError("outer", { cause }), {
      code: "E_CODE",
      details: new Map([[1n, new Uint8Array([1, 2])]]),
    });
    const { error: back } = await suite.echo({ error }) as {
      error: typeof error;
    };
    assert(back instanceof Error);
    assertEquals([back.name, back.message, back.code], [
      "RangeError",
      "outer",
      "E_CODE",
    ]);
    assertEquals(back.details, error.details);
    const inner = back.cause as typeof cause;
    assert(inner instanceof Error);
    assertEquals([inner.name, inner.message, inner.at], [
      "TypeError",
      "inner",
      new Date(5),
    ]);
  },

  "keeps what is one object one": async ({ suite }) => {
    const one = { a: 1 };
    const bytes = new Uint8Array([1, 2, 3]);
    const date = new Date(7);
    const back = await suite.echo({
      first: one,
      list: [one, bytes, date],
      bytes,
      date,
      map: new Map([[one, one]]),
      other: { a: 1 },
    });
    assertStrictEquals(back.list[0], back.first);
    assertStrictEquals(back.list[1], back.bytes);
    assertStrictEquals(back.list[2], back.date);
    assertStrictEquals([...back.map][0]![0], back.first);
    assertStrictEquals([...back.map][0]![1], back.first);
    assert(back.other !== back.first);
    assert(await suite.isSame(one, one));
    assert(!await suite.isSame(one, { a: 1 }));
  },

  "keeps the order of a set whose items are elsewhere too": async (
    { suite },
  ) => {
    const one = { a: 1 };
    const back = await suite.echo({ one, set: new Set<unknown>([one, 2, 3]) });
    assertStrictEquals([...back.set][0], back.one);
    assertEquals([...back.set], [{ a: 1 }, 2, 3]);
  },

  "keeps what is one object one inside an error": async ({ suite }) => {
    const one = { a: 1 };
    const error = Object.assign(new Error("it has one"), { one });
    const back = await suite.echo({ one, error });
    assertStrictEquals(back.error.one, back.one);
  },

  "carries two objects that contain each other": async ({ suite }) => {
    const first: Record<string, unknown> = {};
    const second = { first };
    first.second = second;
    const [backFirst, backSecond] = await suite.echo([first, second]);
    assertStrictEquals(backFirst!.second, backSecond);
    assertStrictEquals(backSecond!.first, backFirst);
  },

  "carries what contains itself": async ({ suite }) => {
    const object: Record<string, unknown> = { n: 1n };
    object.self = object;
    object.inside = { up: object };
    const backObject = await suite.echo(object);
    assertStrictEquals(backObject.self, backObject);
    assertStrictEquals((backObject.inside as typeof object).up, backObject);
    assertEquals(backObject.n, 1n);

    const list: unknown[] = [1];
    list.push(list);
    const backList = await suite.echo(list);
    assertStrictEquals(backList[1], backList);

    const map = new Map<unknown, unknown>();
    map.set("self", map);
    const backMap = await suite.echo(map);
    assertStrictEquals(backMap.get("self"), backMap);

    const set = new Set<unknown>();
    set.add(set);
    const backSet = await suite.echo(set);
    assert(backSet.has(backSet));
  },

  "carries an error that is its own cause": async ({ suite }) => {
    const error: Error = new Error("circular");
    error.cause = error;
    const backError = await suite.echo(error);
    assertStrictEquals(backError.cause, backError);
  },

  "takes and makes bytes by the megabyte": async ({ suite }) => {
    const length = 8 * 1024 * 1024;
    const made = await suite.makeBytes(length);
    assert(made instanceof Uint8Array);
    assertEquals(made.length, length);
    let sum = 0;
    for (const [i, byte] of made.entries()) {
      if (byte !== i % 251) throw new Error(`byte ${i} is ${byte}`);
      sum += byte;
    }
    assertEquals(await suite.sum(made), sum);
  },

  "sends keys that are names of JavaScript's own": async ({ suite }) => {
    const shared = { constructor: new Date(0), toString: "x" };
    const value = {
      constructor: "a",
      prototype: { prototype: [1n] },
      hasOwnProperty: null,
      valueOf: shared,
      map: new Map([["constructor", shared]]),
      "a.constructor": shared,
    };
    assertEquals(await suite.echo(value), value);
  },

  "refuses to send a key that could pollute a prototype": async ({ suite }) => {
    const value = JSON.parse('{"a":{"__proto__":{"polluted":true}}}');
    const sent = await suite.echo(value).then(
      () => "sent",
      (error) => String(error),
    );
    assert(/__proto__/.test(sent), sent);
    assertEquals(await suite.add(1, 1), 2);
  },
};
