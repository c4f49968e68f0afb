// Calls: many at once, started in order, answered in any order; errors are sent in full.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Chance } from "./random_values.ts";
import type { Promises } from "./suite.ts";

interface Failure extends Error {
  code?: string;
}

async function failure(call: Promise<unknown>): Promise<Failure> {
  return await call.then(
    () => Promise.reject(new Error("it did not fail")),
    (error) => error,
  );
}

export const calls: Promises = {
  "answers 100 calls in flight in the order in which they finish": async (
    { suite },
  ) => {
    const keys = Array.from({ length: 100 }, (_, i) => `${i}`);
    const ended: string[] = [];
    const held = keys.map(async (key) => {
      const value = await suite.hold(key);
      ended.push(key);
      return value;
    });
    const order = new Chance(1).shuffled(keys);
    for (const key of order) await suite.letGo(key, `value of ${key}`);
    assertEquals(await Promise.all(held), keys.map((key) => `value of ${key}`));
    assertEquals(ended, order);
  },

  "starts what it calls before it returns, in order": async ({ suite }) => {
    const lines = Array.from({ length: 50 }, (_, i) => `line ${i}`);
    const said: string[] = [];
    const { promise: quiet, resolve: hush } = Promise.withResolvers<void>();
    const ui = {
      async say(line: string) {
        said.push(line);
        await quiet;
      },
    };
    assertEquals(await suite.sayAll(ui, lines), 50);
    assertEquals(said, lines);
    hush();
  },

  "calls back while it is called back": async ({ suite }) => {
    const down = async (depth: number): Promise<number> =>
      depth === 0 ? 0 : 1 + (await suite.callBack(down, depth - 1) as number);
    assertEquals(await down(20), 20);
  },

  "throws an error with its name, message, code, cause and both stacks": async (
    { suite },
  ) => {
    const error = await failure(suite.fail("out of it"));
    assert(error instanceof Error);
    assertEquals([error.name, error.message, error.code], [
      "RangeError",
      "out of it",
      "E_CONFORMANCE",
    ]);
    const cause = error.cause as Error;
    assert(cause instanceof Error);
    assertEquals([cause.name, cause.message], ["Error", "the cause"]);
    assertMatch(error.stack!, /RangeError: out of it/);
    assertMatch(error.stack!, /conformance\/plugin\.(ts|py)/);
    assertMatch(error.stack!, /conformance\/calls_cases\.ts/);
  },

  "passes on what a function that it calls throws": async ({ suite }) => {
    const error = await failure(suite.callBack(() => {
      throw Object.assign(new TypeError("not so"), { code: "E_HERE" });
    }));
    assertEquals([error.name, error.message, error.code], [
      "TypeError",
      "not so",
      "E_HERE",
    ]);
  },

  "throws a value that is not an error unchanged": async ({ suite }) => {
    assertEquals(await suite.throwValue({ n: 1n }).catch((thrown) => thrown), {
      n: 1n,
    });
    assertEquals(
      await suite.throwValue("a text").catch((thrown) => thrown),
      "a text",
    );
  },

  "continues after a call that failed": async ({ suite }) => {
    await assertRejects(() => suite.fail("once"));
    assertEquals(await suite.add(1, 1), 2);
  },

  "shows no method that it does not list": ({ suite }) => {
    const any = suite as unknown as Record<string, unknown>;
    assertEquals(any.notExported, undefined);
    assert(!("notExported" in any));
    assert(typeof any.echo === "function");
  },

  "rejects a component that it does not serve": async ({ plugin }) => {
    const error = await failure(plugin.create("conformance", "sweet"));
    assertMatch(error.message, /sweet/);
    assertMatch(error.message, /conformance.*suite/);
  },

  "creates a separate component for each call of create": async (
    { plugin, suite },
  ) => {
    const other = await plugin.create<typeof suite>("conformance", "suite");
    await suite.keep("mine");
    await other.keep("theirs");
    assertEquals(await suite.kept(), "mine");
  },
};
