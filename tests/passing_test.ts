// What only passes through the host arrives as it was, in memory that is used again.

import { assert, assertEquals } from "@std/assert";
import { launch } from "../host/mod.ts";
import { PassingMemory } from "../plugin/rpc/passing.ts";
import { keeps, program } from "./fixtures/plugins/workbench.ts";

interface Streaming {
  echo<T>(value: T): Promise<T>;
  give(seed: number, count: number): Promise<ReadableStream<Uint8Array>>;
  giveViews(): Promise<ReadableStream<unknown>>;
  expected(seed: number, count: number): Promise<string>;
  take(stream: ReadableStream<Uint8Array>): Promise<string>;
  takeViews(stream: ReadableStream<unknown>): Promise<unknown[]>;
}

async function between(
  test: (
    giver: Streaming,
    taker: Streaming,
  ) => Promise<void>,
): Promise<void> {
  const [one, other] = await Promise.all([
    launch(program("streaming.ts")),
    launch(program("streaming.ts")),
  ]);
  await using a = one;
  await using b = other;
  await test(
    await a.create<Streaming>("thing", ""),
    await b.create<Streaming>("thing", ""),
  );
}

keeps(
  "chunks of any length pass through as they were",
  () =>
    between(async (giver, taker) => {
      const seeds = [1, 2, 3, 4, 5];
      const came = seeds.map(async (seed) =>
        assertEquals(
          await taker.take(await giver.give(seed, 60)),
          await giver.expected(seed, 60),
        )
      );
      await Promise.all(came);
    }),
);

keeps(
  "numbers of every type pass through in just their own memory",
  () =>
    between(async (giver, taker) => {
      const expected = await Array.fromAsync(await giver.giveViews());
      const came = await taker.takeViews(await giver.giveViews());
      assertEquals(came, expected);
      for (const value of came) {
        if (!ArrayBuffer.isView(value)) continue;
        assertEquals(value.buffer.byteLength, value.byteLength);
      }
    }),
);

Deno.test("memory is given out again for the same length only", () => {
  const memory = new PassingMemory();
  const [one, other] = [memory.take(100), memory.take(100)];
  assert(one !== other);
  memory.giveBack([one, other]);
  assert(memory.take(99).buffer !== one.buffer);
  const again = [memory.take(100), memory.take(100), memory.take(100)];
  assert(again.includes(one) && again.includes(other));
  assertEquals(new Set(again).size, 3);
});

Deno.test("of what passed through, little is kept", () => {
  const memory = new PassingMemory();
  const large = Array.from({ length: 6 }, () => memory.take(1024 * 1024));
  memory.giveBack(large);
  memory.giveBack([memory.take(1024 * 1024 * 1024)]);
  const kept = large.map(() => memory.take(1024 * 1024))
    .filter((part) => large.includes(part));
  assertEquals(kept, large.slice(-4));

  const small = Array.from({ length: 1_000 }, () => memory.take(1));
  memory.giveBack(small);
  const fromThem = small.map(() => memory.take(1))
    .filter((part) => small.includes(part));
  assert(fromThem.length < 100, `${fromThem.length} parts`);
});
