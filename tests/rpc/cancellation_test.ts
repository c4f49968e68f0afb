// Cancellation: an abort, a cancellation or a failure reaches the peer whatever its
// reason is, and nothing waits forever for what was cancelled.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { launch, type Plugin } from "../../host/mod.ts";
import { program, testPosix } from "../support/plugin_process.ts";
import { failure } from "../support/failure.ts";

interface Author {
  listen(signal: AbortSignal): Promise<void>;
  listenByProperty(signal: AbortSignal): Promise<void>;
  listenForAMoment(signal: AbortSignal): Promise<void>;
  look(signal: AbortSignal): Promise<boolean>;
  untilAborted(signal: AbortSignal): Promise<unknown>;
  heard(): Promise<unknown[]>;
  collect(): Promise<void>;
  writeThenAbort(
    stream: WritableStream<number>,
    count: number,
    taken: () => Promise<void>,
    reason: unknown,
  ): Promise<void>;
  endless(): Promise<ReadableStream<number>>;
  cancelled(): Promise<unknown>;
  sink(): Promise<WritableStream<number>>;
  aborted(): Promise<unknown>;
  writeOnce(stream: WritableStream<number>): Promise<void>;
  throwHard(how: string): Promise<never>;
  manyParts(count: number): Promise<Uint8Array[]>;
}

/** A test with a plugin whose garbage can be collected. */
function author(
  name: string,
  test: (author: Author, plugin: Plugin) => Promise<void>,
): void {
  testPosix(name, async () => {
    await using plugin = await launch(
      program("abort_plugin.ts", "--v8-flags=--expose-gc"),
    );
    await test(await plugin.create<Author>("thing", "author"), plugin);
  });
}

/** Makes a plugin collect its garbage, in a few turns of its event loop. */
async function collected(author: Author): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await author.collect();
}

/** Makes a plugin collect its garbage until a count is low. */
async function comesDown(
  author: Author,
  count: () => number,
  to: number,
): Promise<void> {
  while (count() > to) await author.collect();
}

/** Reasons that cannot be sent. */
const STRANGE: [string, unknown][] = [
  ["a symbol", Symbol("strange")],
  ["a key that changes a prototype", JSON.parse('{"__proto__":1}')],
  [
    "an object without a text",
    Object.create(null, {
      symbol: { value: Symbol(), enumerable: true },
    }),
  ],
  ["a getter that throws", {
    get more() {
      throw new Error("not this");
    },
  }],
  ["what is nested too deep", nestedIn(1_500)],
  ["what is nested far too deep", nestedIn(100_000)],
];

function nestedIn(levels: number): unknown {
  let value: unknown = "bottom";
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

for (const [what, reason] of STRANGE) {
  author(`an abort arrives although its reason is ${what}`, async (author) => {
    const controller = new AbortController();
    const aborted = author.untilAborted(controller.signal);
    await author.heard();
    controller.abort(reason);
    assert(await aborted !== undefined);
  });
}

author(
  "the cancellation of a stream arrives whatever its reason is",
  async (author) => {
    for (const [what, reason] of STRANGE.slice(0, 4)) {
      const stream = await author.endless();
      const reader = stream.getReader();
      await reader.read();
      await reader.cancel(reason);
      assert(await author.cancelled() !== undefined, what);
    }
  },
);

author(
  "the abort of a stream arrives whatever its reason is",
  async (author) => {
    for (const [what, reason] of STRANGE.slice(0, 4)) {
      const writer = (await author.sink()).getWriter();
      await writer.write(1);
      await writer.abort(reason);
      assert(await author.aborted() !== undefined, what);
    }
  },
);

author(
  "an abort reaches a writer that is stuck, however many writes wait behind it",
  async (author) => {
    for (const count of [1, 2, 8, 9, 20]) {
      const stuck = Promise.withResolvers<void>();
      const told = Promise.withResolvers<unknown>();
      const stream = new WritableStream<number>({
        write(_chunk, controller) {
          stuck.resolve();
          return new Promise((_resolve, reject) => {
            controller.signal.addEventListener("abort", () => {
              told.resolve(controller.signal.reason);
              reject(controller.signal.reason);
            });
          });
        },
      });
      const reason = `given up with ${count}`;
      await author.writeThenAbort(stream, count, () => stuck.promise, reason);
      assertEquals(await told.promise, reason);
    }
  },
);

author(
  "a failed write is reported at once, without another write",
  async (author) => {
    const error = await failure(author.writeOnce(
      new WritableStream({
        write() {
          throw new RangeError("no room");
        },
      }),
    ));
    assertEquals([error.name, error.message], ["RangeError", "no room"]);
  },
);

author(
  "a listener is called on abort although nothing else of its call is left",
  async (author) => {
    const one = new AbortController();
    const other = new AbortController();
    await author.listen(one.signal);
    await author.listenByProperty(other.signal);
    await collected(author);
    one.abort("one");
    other.abort("other");
    assertEquals(await author.heard(), ["one", "other"]);
  },
);

author(
  "a signal of two calls lives until the longer one ends",
  async (author) => {
    const controller = new AbortController();
    const aborted = author.untilAborted(controller.signal);
    assertEquals(await author.look(controller.signal), false);
    await collected(author);
    controller.abort("both");
    assertEquals(await aborted, "both");
  },
);

author(
  "signals without listeners are released",
  async (author, plugin) => {
    const before = plugin.references.exported;
    for (let round = 0; round < 20; round++) {
      await author.look(new AbortController().signal);
      await author.listenForAMoment(new AbortController().signal);
    }
    await comesDown(author, () => plugin.references.exported, before);
  },
);

for (const how of ["a getter that throws", "too deep", "__proto__"]) {
  author(
    `an error keeps its message although it cannot be sent whole: ${how}`,
    async (author) => {
      const error = await failure(author.throwHard(how));
      assertEquals(error.message, "the true reason");
      assertEquals(error.name, "RangeError");
      assertMatch(error.stack!, /throwHard/);
    },
  );
}

author(
  "a value that is too large for a message is refused by the sender, and the connection stays open",
  async (author) => {
    const parts = Array.from({ length: 10_001 }, () => new Uint8Array(1));
    const text = "é".repeat(33 * 1024 * 1024);
    const send = author.look as unknown as (value: unknown) => Promise<unknown>;
    for (const value of [parts, text, { text, date: new Date() }]) {
      const error = await failure(send.call(author, value));
      assertEquals(error.name, "RangeError");
      assertMatch(error.message, /cannot be sent to another process.* stream/);
    }
    const error = await failure(author.manyParts(10_001));
    assertEquals(error.name, "RangeError");
    assertEquals((await author.manyParts(10_000)).length, 10_000);
  },
);

author("a refused key is reported with its path", async (author) => {
  const send = author.look as unknown as (value: unknown) => Promise<unknown>;
  const error = await failure(
    send.call(author, { list: [1, JSON.parse('{"__proto__":1}')] }),
  );
  assertMatch(error.message, /__proto__.*at \[0\]\.list\[1\] of the arguments/);
});
