// Streams: bytes and values in both directions, and a slow reader stops a fast source.

import { assert, assertEquals } from "@std/assert";
import { type Promises, roundTrips } from "./suite.ts";

/** How much may be read ahead of the reader, in chunks. */
const AHEAD = 64;

/** A source without an end that counts how far it was read. */
function endless(): {
  stream: ReadableStream<Uint8Array>;
  read: () => number;
  cancelled: Promise<unknown>;
} {
  let read = 0;
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(new Uint8Array(1024).fill(read++ % 256));
    },
    cancel: resolve,
  });
  return { stream, read: () => read, cancelled: promise };
}

const chunks = (count: number, size: number) =>
  Array.from({ length: count }, (_, i) => new Uint8Array(size).fill(i % 256));

const joined = (parts: Uint8Array[]) =>
  Uint8Array.from(parts.flatMap((part) => [...part]));

export const streams: Promises = {
  "reads a stream of bytes": async ({ suite }) => {
    const parts = chunks(300, 100);
    assertEquals(
      await suite.readAll(ReadableStream.from(parts)),
      joined(parts),
    );
  },

  "reads a stream of values": async ({ suite }) => {
    const list = [1n, "a", { d: new Date(1) }, undefined, new Set([1])];
    assertEquals(await suite.readAll(ReadableStream.from(list)), list);
    assertEquals(await suite.readAll(ReadableStream.from([])), []);
  },

  "gives a stream of bytes": async ({ suite }) => {
    const stream = await suite.makeReadable(300, 100);
    assert(stream instanceof ReadableStream);
    assertEquals(
      joined(await Array.fromAsync(stream)),
      joined(chunks(300, 100)),
    );
  },

  "gives a stream of values": async ({ suite }) => {
    const list = [1n, "a", { d: new Date(1) }, undefined, new Set([1])];
    assertEquals(await Array.fromAsync(await suite.makeValues(list)), list);
    assertEquals(await Array.fromAsync(await suite.makeValues([])), []);
  },

  "fails a stream whose source fails, with the source's error": async (
    { suite },
  ) => {
    const reader = (await suite.makeFailing("no more")).getReader();
    assertEquals((await reader.read()).value, "before");
    const error = await reader.read().catch((error) => error);
    assertEquals([error.name, error.message], ["RangeError", "no more"]);
  },

  "sees a stream fail that it reads": async ({ suite }) => {
    const failing = new ReadableStream({
      pull: (controller) => controller.error(new RangeError("no more")),
    });
    const error = await suite.readAll(failing).catch((error) => error) as Error;
    assertEquals([error.name, error.message], ["RangeError", "no more"]);
  },

  "stops a source here when it stops reading, and cancels it": async (
    { suite },
  ) => {
    const { stream, read, cancelled } = endless();
    await suite.open(stream);
    for (let i = 0; i < 3; i++) {
      assertEquals(await suite.readNext(), {
        done: false,
        value: new Uint8Array(1024).fill(i),
      });
    }
    await roundTrips(suite);
    assert(read() <= 3 + AHEAD, `${read()} chunks were read`);
    await suite.cancelReading("enough");
    assertEquals(await cancelled, "enough");
  },

  "is stopped by a reader here who stops": async ({ suite }) => {
    const reader = (await suite.makeReadable(100_000, 1024)).getReader();
    for (let i = 0; i < 3; i++) {
      assertEquals((await reader.read()).value?.[0], i);
    }
    await roundTrips(suite);
    const read = await suite.sourceRead();
    assert(read <= 3 + AHEAD, `${read} chunks were read`);
    await reader.cancel();
  },

  "is notified when a reader here cancels, with the reason": async (
    { suite },
  ) => {
    const reader = (await suite.makeCancelled()).getReader();
    await reader.read();
    await reader.cancel("enough");
    assertEquals(await suite.kept(), "enough");
  },

  "takes what is written to its stream, and its end": async ({ suite }) => {
    const sink = await suite.makeSink();
    assert(sink.stream instanceof WritableStream);
    const writer = sink.stream.getWriter();
    const list = [new Uint8Array([1, 2]), 1n, { d: new Date(1) }];
    for (const value of list) await writer.write(value);
    assert(!await sink.closed());
    await writer.close();
    assertEquals(await sink.collected(), list);
    assert(await sink.closed());
  },

  "is notified when a writer here aborts, with the reason": async (
    { suite },
  ) => {
    const sink = await suite.makeSink();
    const writer = sink.stream.getWriter();
    await writer.write(1);
    await writer.abort("given up");
    assertEquals(await sink.collected(), [1, "given up"]);
    assert(!await sink.closed());
  },

  "blocks a writer here while it does not read": async ({ suite }) => {
    const gate = await suite.makeGate();
    const writer = gate.stream.getWriter();
    const writes: Promise<void>[] = [];
    let isFree = true;
    while (isFree && writes.length < 1000) {
      isFree = await Promise.race([
        writer.ready.then(() => true),
        roundTrips(suite).then(() => false),
      ]);
      if (isFree) writes.push(writer.write(new Uint8Array(64 * 1024)));
    }
    assert(writes.length <= AHEAD, `${writes.length} chunks were written`);
    assertEquals(await gate.taken(), 0);
    await gate.open();
    await Promise.all(writes);
    await writer.close();
    assertEquals(await gate.taken(), writes.length);
  },

  "is stopped by a writable here that takes nothing": async ({ suite }) => {
    const { stream, read } = endless();
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    let taken = 0;
    const slow = new WritableStream({
      async write() {
        if (++taken === 3) await opened;
        if (taken > 5) throw new Error("full");
      },
    });
    const piped = suite.pipe(stream, slow).catch((error) => error);
    await roundTrips(suite, 200);
    assertEquals(taken, 3);
    assert(read() <= 3 + 2 * AHEAD, `${read()} chunks were read`);
    open();
    assertEquals((await piped).message, "full");
  },

  "pipes between streams of either side": async ({ suite }) => {
    const expected = joined(chunks(20, 1000));
    const collect = () => {
      const parts: Uint8Array[] = [];
      const stream = new WritableStream<Uint8Array>({
        write: (part) => void parts.push(part),
      });
      return { stream, parts };
    };
    const there = await suite.makeSink();
    await suite.pipe(ReadableStream.from(chunks(20, 1000)), there.stream);
    assertEquals(joined(await there.collected() as Uint8Array[]), expected);
    assert(await there.closed());

    const here = collect();
    await suite.pipe(await suite.makeReadable(20, 1000), here.stream);
    assertEquals(joined(here.parts), expected);

    const through = collect();
    await suite.pipe(ReadableStream.from(chunks(20, 1000)), through.stream);
    assertEquals(joined(through.parts), expected);

    const direct = collect();
    await (await suite.makeReadable(20, 1000)).pipeTo(direct.stream);
    assertEquals(joined(direct.parts), expected);
  },

  "gets its own stream back whole": async ({ suite }) => {
    assertEquals(
      await suite.readAll(await suite.makeReadable(5, 10)),
      joined(chunks(5, 10)),
    );
  },
};
