// References: functions, objects and signals can be used by the peer, keep their identity when they are sent back, and are released.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { type Counter, type Promises, until } from "./suite.ts";

class LocalCounter {
  #now: number;

  constructor(readonly start: number) {
    this.#now = start;
  }

  increment(by: number): number {
    return this.#now += by;
  }
}

export const references: Promises = {
  "calls a function that it is given": async ({ suite }) => {
    assertEquals(
      await suite.callBack((a: number, b: number) => a * b, 6, 7),
      42,
    );
    assertEquals(await suite.callBack(() => Promise.resolve("later")), "later");
    assertEquals(await suite.callBack(() => {}), undefined);
  },

  "gives a function that can be called": async ({ suite }) => {
    const prefixed = await suite.makeFunction("a");
    assertEquals(await prefixed("b"), "ab");
    assertEquals(await Promise.all([prefixed("1"), prefixed("2")]), [
      "a1",
      "a2",
    ]);
  },

  "gives an object with its fields, methods and text": async ({ suite }) => {
    const counter = await suite.makeCounter(5);
    assertEquals(counter.start, 5);
    assertEquals(await counter.increment(2), 7);
    assertEquals(await counter.read(), 7);
    assertEquals(String(counter), "a counter from 5");
    assert(!("notThere" in counter));
    assertEquals(
      (counter as unknown as Record<string, unknown>).notThere,
      undefined,
    );
  },

  "uses an object that it is given": async ({ suite }) => {
    const counter = new LocalCounter(5);
    assertEquals(await suite.startOf(counter), 5);
    assertEquals(await suite.increment(counter, 3), 8);
    assertEquals(counter.increment(0), 8);
  },

  "calls a function that is deep inside a value": async ({ suite }) => {
    const back = await suite.echo([{
      f: new Map([["g", (x: number) => x + 1]]),
    }]);
    assertEquals(await back[0]!.f.get("g")!(1), 2);
  },

  "gives back as itself what came from here": async ({ suite }) => {
    const each = [
      () => 1,
      new LocalCounter(1),
      new AbortController().signal,
      new ReadableStream(),
      new WritableStream(),
    ];
    for (const mine of each) {
      assertStrictEquals(await suite.echo(mine), mine);
      await suite.keep({ inside: [mine] });
      const kept = await suite.kept() as { inside: unknown[] };
      assertStrictEquals(kept.inside[0], mine);
      assert(await suite.isSame(mine, mine));
    }
    await suite.drop();
  },

  "recognizes as itself what comes home to it": async ({ suite }) => {
    for (
      const its of [
        await suite.makeFunction("a"),
        await suite.makeCounter(1),
        await suite.makeReadable(1, 1),
        (await suite.makeSink()).stream,
      ]
    ) {
      await suite.keep(its);
      assert(await suite.isSame(its, its));
      assertStrictEquals(await suite.kept(), its);
    }
    await suite.drop();
  },

  "distinguishes two objects": async ({ suite }) => {
    assert(!await suite.isSame(() => 1, () => 1));
    assert(
      !await suite.isSame(
        await suite.makeCounter(1),
        await suite.makeCounter(1),
      ),
    );
  },

  "sees a signal abort, with the reason": async ({ suite }) => {
    for (
      const reason of [new Error("too late"), "just because", { message: 1n }]
    ) {
      const controller = new AbortController();
      const waiting = suite.waitAbort(controller.signal);
      await suite.add(1, 1);
      controller.abort(reason);
      assertEquals(
        await waiting,
        reason instanceof Error ? reason.message : reason,
      );
    }
    const controller = new AbortController();
    const waiting = suite.waitAbort(controller.signal);
    controller.abort();
    assertEquals(await waiting, controller.signal.reason.message);
  },

  "sees that a signal was aborted before": async ({ suite }) => {
    assertEquals(
      await suite.waitAbort(AbortSignal.abort(new Error("long ago"))),
      "long ago",
    );
    assertEquals(
      await suite.waitAbort(AbortSignal.abort("a reason")),
      "a reason",
    );
  },

  "releases an object that was disposed here": async (setting) => {
    const { suite } = setting;
    const start = 4711;
    const counter = await suite.makeCounter(start);
    assertEquals(await suite.countersAlive(start), 1);
    counter[Symbol.dispose]();
    await until(setting, async () => await suite.countersAlive(start) === 0);
    const called = await counter.read().then(() => "answered", () => "refused");
    assertEquals(called, "refused");
  },

  "releases what it no longer needs": async (setting) => {
    const { suite, plugin } = setting;
    await suite.drop();
    await until(setting, () => true);
    const before = plugin.references.exported;
    await suite.keep([() => 1, new LocalCounter(1)]);
    await suite.echo(1);
    assertEquals(plugin.references.exported, before + 2);
    await suite.drop();
    await until(setting, () => plugin.references.exported <= before);
  },

  "keeps an object for as long as one of its messages is not released": async (
    { suite },
  ) => {
    const first = await suite.makeCounter(3);
    await suite.keep(first);
    const again = await suite.kept() as Counter;
    await suite.drop();
    assertStrictEquals(again, first);
    assertEquals(await again.increment(1), 4);
  },
};
