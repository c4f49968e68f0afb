// Values and references: values arrive equal to what was sent. Objects, functions,
// signals and streams work in the other process like local ones.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { launch, type Plugin } from "../../host/mod.ts";
import { program, testPosix } from "../support/plugin_process.ts";
import { within } from "../support/within.ts";
import { failure } from "../support/failure.ts";

interface Account extends Disposable {
  readonly owner: string;
  readonly balance: number;
  readonly since: Date;
  inherited(): Promise<string>;
  deposit(amount: number): Promise<Account>;
  read(): Promise<number>;
  statement(from: number): Promise<AsyncIterableIterator<string>>;
  toString(): string;
}

interface Author {
  echo<T>(value: T): Promise<T>;
  keep(value: unknown): Promise<void>;
  kept(): Promise<unknown[]>;
  drop(): Promise<void>;
  same(a: unknown, b: unknown): Promise<boolean>;
  isKept(value: unknown): Promise<boolean>;
  account(owner: string, balance: number): Promise<Account>;
  isAccount(value: unknown): Promise<boolean>;
  counter(): Promise<{
    count: number;
    increment(): Promise<number>;
    nested: { deep: { double(value: number): Promise<number> }[] };
  }>;
  atDepth(): Promise<{
    map: Map<string, unknown>;
    set: Set<() => Promise<string>>;
    list: ((a: bigint) => Promise<bigint>)[][][];
  }>;
  callAll(value: unknown): Promise<string[]>;
  countTo(limit: number): Promise<AsyncIterable<number>>;
  sum(numbers: AsyncIterable<number>): Promise<number>;
  throwCustom(): Promise<never>;
  throwAggregate(): Promise<never>;
  throwSuppressed(): Promise<never>;
  throwDom(): Promise<never>;
  throwNotFound(): Promise<never>;
  throwText(): Promise<never>;
  throwUndefined(): Promise<never>;
  throwUnsendable(): Promise<never>;
  caught(callback: () => void): Promise<unknown[]>;
  untilAborted(signal: AbortSignal, ready: () => void): Promise<unknown>;
  isAborted(signal: AbortSignal): Promise<unknown[]>;
  signals(): Promise<{
    signal: AbortSignal;
    abort(reason: unknown): Promise<void>;
  }>;
  endless(): Promise<ReadableStream<Uint8Array>>;
  sourceRead(): Promise<number>;
  values(values: unknown[]): Promise<ReadableStream<unknown>>;
  failing(): Promise<ReadableStream<number>>;
  collect(stream: ReadableStream<unknown>): Promise<unknown[]>;
  transform(): Promise<TransformStream<string, string>>;
  writeInto(
    stream: WritableStream<Uint8Array>,
    chunks: number,
    wrote: (chunk: number) => void,
  ): Promise<void>;
  unsendable(kind: string): Promise<unknown>;
}

interface Machine {
  taken(): Promise<number>;
}

interface Provisioner {
  ping(): Promise<void>;

  roundTrip(machine: unknown, chunks: number): Promise<number>;
  run(machine: unknown, command: string): Promise<[number, string]>;
  downloadMissing(machine: unknown): Promise<void>;
  stall(
    machine: unknown,
    signal: AbortSignal,
    made: (count: number) => void,
  ): Promise<[string, string]>;
}

/** A test with a plugin in a process of its own. */
function author(
  name: string,
  test: (author: Author, plugin: Plugin) => Promise<void>,
): void {
  testPosix(name, async () => {
    await using plugin = await launch(program("echo_plugin.ts"));
    await test(await plugin.create<Author>("thing", "author"), plugin);
  });
}

/** Makes calls until a count has stopped changing, which must happen below a limit. */
async function settled(
  most: number,
  count: () => number | Promise<number>,
  call: () => Promise<unknown>,
): Promise<void> {
  let last = await count();
  for (let same = 0; same < 50; same++) {
    await call();
    await new Promise((resolve) => setTimeout(resolve, 0));
    const now = await count();
    assert(now <= most, `${now} is more than ${most}`);
    if (now !== last) same = 0;
    last = now;
  }
}

/** How many chunks of 64 KiB may be in flight: 4 MiB. */
const WINDOW = 64;

// Values

author("values arrive equal to what was sent", async (author) => {
  const shared = { name: "shared" };
  const values = [
    null,
    undefined,
    true,
    "größe 💡 \u0000 \u2028 \ud800",
    0,
    -0,
    1e300,
    Number.MAX_SAFE_INTEGER,
    NaN,
    Infinity,
    -Infinity,
    -(2n ** 70n),
    new Date(0),
    /a\/b[.]+/giu,
    new URL("https://example.com/a?b=c#d"),
    new Map<unknown, unknown>([["a", 1], [{ key: 1 }, new Set([1n])]]),
    new Set([undefined, NaN, "x"]),
    new Uint8Array([0, 255, 10, 13]),
    new Uint8Array(0),
    new Float64Array([1.5, -0, NaN]),
    [[[]], {}, [undefined, null]],
    { undefined, nested: { "a.b": { "c\\d": new Date(1) } } },
    { "": 1, "0": 2, json: 3, meta: 4, ref: 5, call: 6 },
    [shared, shared],
  ];
  assertEquals(await author.echo(values), values);
  for (const value of values) assertEquals(await author.echo(value), value);
  assert(Object.is(await author.echo(-0), -0));
});

author("bytes of any length arrive unchanged", async (author) => {
  const bytes = crypto.getRandomValues(new Uint8Array(65_536));
  const back = await author.echo({ a: [bytes], b: new Map([[1, bytes]]) });
  assertEquals(back.a[0], bytes);
  assertEquals(back.b.get(1), bytes);
  assert(back.a[0] instanceof Uint8Array);
  const large = new Uint8Array(100 * 2 ** 20);
  large[large.length - 1] = 7;
  const largeBack = await author.echo(large);
  assertEquals(largeBack.length, large.length);
  assertEquals(largeBack[large.length - 1], 7);
  const part = await author.echo(bytes.subarray(10, 20));
  assertEquals(part, bytes.slice(10, 20));
});

author("one object in two places arrives as one object", async (author) => {
  const shared = { value: 1 };
  assert(await author.same(shared, shared));
  const [a, b] = await author.echo([shared, shared]);
  assertStrictEquals(a, b);
  const circular: { self?: unknown } = {};
  circular.self = circular;
  const back = await author.echo(circular);
  assertStrictEquals(back.self, back);
});

// Objects and functions

author(
  "an instance stays in its process, with its private state",
  async (author) => {
    const account = await author.account("Ada", 10);
    assertEquals(account.owner, "Ada");
    assertEquals(account.balance, 10);
    assertEquals(account.since, new Date(86_400_000));
    assertEquals(await account.read(), 10);
    await account.deposit(5);
    assertEquals(await account.read(), 15);
    assertEquals(account.balance, 15, "it was sent again, as what came back");
    assertEquals(await account.inherited(), "inherited by Account");
    assertEquals(`${account}`, "Ada's account");
    assert(!("_internal" in account));
    assert(!("broken" in account));
  },
);

author(
  "a reference that is sent back is the original object",
  async (author) => {
    const account = await author.account("Ada", 10);
    assert(await author.isAccount(account));
    assertStrictEquals(await author.echo(account), account);
    assertStrictEquals(await account.deposit(1), account);
    await author.keep(account);
    assert(await author.isKept(account));

    class Mine {
      #secret = 1;
      secret() {
        return this.#secret;
      }
    }
    const mine = new Mine();
    const fun = () => 1;
    const stream = new ReadableStream();
    const { signal } = new AbortController();
    for (const value of [mine, fun, stream, signal]) {
      assertStrictEquals(await author.echo(value), value);
      assertStrictEquals((await author.echo([[value]]))[0]![0], value);
    }
    await author.drop();
    await author.keep(mine);
    assert(await author.isKept(mine));
    assertStrictEquals((await author.kept())[0], mine);
  },
);

author(
  "`this` in a plain object's functions is that object",
  async (author) => {
    const counter = await author.counter();
    assertEquals(await counter.increment(), 1);
    assertEquals(await counter.increment(), 2);
    assertEquals(counter.count, 0);
    assertEquals(await counter.nested.deep[0]!.double(21), 42);
  },
);

author("functions and instances are sent at any depth", async (author) => {
  const { map, set, list } = await author.atDepth();
  const shout = map.get("function") as (text: string) => Promise<string>;
  assertEquals(await shout("hey"), "HEY");
  assertEquals(await (map.get("account") as Account).read(), 1);
  assertEquals(await [...set][0]!(), "from a set");
  assertEquals(await list[0]![0]![0]!(21n), 42n);

  const said = await author.callAll({
    map: new Map([["key", (text: string) => `a ${text}`]]),
    set: new Set([() => Promise.resolve("a set")]),
    list: [[(text: string) => `a ${text}`]],
    plain: {
      name: "the name",
      say(text: string) {
        return `${this.name} in a ${text} object`;
      },
    },
  });
  assertEquals(said, [
    "a map",
    "a set",
    "a list",
    "the name in a plain object",
    "the name",
  ]);
});

author("an async generator arrives as an async iterator", async (author) => {
  const account = await author.account("Ada", 1);
  const statement = await account.statement(7);
  assertEquals(await statement.next(), { done: false, value: "entry 7" });
  assertEquals(await statement.return!("enough"), {
    done: true,
    value: "enough",
  });
  assertEquals(await statement.next(), { done: true, value: undefined });
});

author(
  "an async generator of the plugin is iterated in the host",
  async (author) => {
    const counted = [];
    for await (const count of await author.countTo(5)) counted.push(count);
    assertEquals(counted, [1, 2, 3, 4, 5]);
  },
);

author(
  "an async generator of the host is iterated in the plugin",
  async (author) => {
    async function* numbers() {
      yield 1;
      yield 2;
      yield 3;
    }
    assertEquals(await author.sum(numbers()), 6);
  },
);

author("leaving a loop ends the generator", async (author) => {
  for await (const count of await author.countTo(1_000_000)) {
    if (count === 3) break;
  }
  assertEquals(await author.sourceRead(), -1);
});

author(
  "a function that awaits a callback does not deadlock",
  async (author) => {
    const caught = await author.caught(async () => {
      const depth = await author.caught(async () => {
        await author.echo(1);
        throw new Error("inner");
      });
      throw new Error(`outer of ${depth[2]}`);
    });
    assertEquals(caught[2], "outer of inner");
  },
);

// Errors

author(
  "an error keeps its class, code, cause and properties",
  async (author) => {
    const error = await failure(author.throwCustom()) as Error & {
      code: string;
      details: unknown;
    };
    assertEquals(error.name, "CustomError");
    assertEquals(error.message, "custom");
    assertEquals(error.code, "E_CUSTOM");
    assertEquals(error.details, { path: ["a", 1], when: new Date(0) });
    const cause = error.cause as Error;
    assert(cause instanceof RangeError);
    assertEquals(cause.message, "the cause");
  },
);

author("an error's stack shows both sides", async (author) => {
  const error = await failure(author.throwCustom());
  assertMatch(error.stack!, /echo_plugin\.ts/);
  assertMatch(error.stack!, /references_test\.ts/);
});

author("errors of the platform keep their class", async (author) => {
  const several = await failure(author.throwAggregate()) as AggregateError;
  assert(several instanceof AggregateError);
  assertEquals(several.message, "several");
  assertEquals(several.errors.map((one) => one.message), ["one", "two"]);
  assert(several.errors[0] instanceof TypeError);
  assertEquals(several.errors[1].code, 2);

  const both = await failure(author.throwSuppressed()) as SuppressedError;
  assertEquals(both.name, "SuppressedError");
  assert(both.error instanceof TypeError);
  assertEquals(both.error.message, "last");
  assertEquals(both.suppressed.message, "first");
  assertEquals(both.suppressed.cause, "a text");

  const aborted = await failure(author.throwDom());
  assertEquals(aborted.name, "AbortError");
  assertEquals(aborted.message, "it was aborted");
  assert(aborted instanceof DOMException);

  const missing = await failure(author.throwNotFound()) as Error & {
    code: string;
  };
  assertEquals(missing.name, "NotFound");
  assertEquals(missing.code, "ENOENT");
  assertStringIncludes(missing.message, "/no/such/file");
});

author("whatever is thrown can be caught", async (author) => {
  const text = await author.throwText().then(() => {}, (thrown) => thrown);
  assertEquals(text, "only a text");
  const nothing = await author.throwUndefined().then(
    () => "returned",
    (thrown) => thrown,
  );
  assertEquals(nothing, undefined);
  const error = await failure(author.throwUnsendable());
  assertStringIncludes(error.message, "with a symbol");
});

author("an error of the host is thrown in the plugin", async (author) => {
  const caught = await author.caught(() => {
    const cause = new Error("the cause");
    throw Object.assign(new TypeError("wrong", { cause }), { code: "E_HOST" });
  });
  assertEquals(caught.slice(0, 5), [
    true,
    "TypeError",
    "wrong",
    "E_HOST",
    "the cause",
  ]);
  assertMatch(String(caught[5]), /references_test\.ts/);
  assertMatch(String(caught[5]), /echo_plugin\.ts/);
});

author("an error can be passed as a value", async (author) => {
  const { error } = await author.echo({ error: new RangeError("mine") });
  assert(error instanceof RangeError);
  assertEquals(error.message, "mine");
});

// Signals

author(
  "an abort in the host arrives in the plugin, with its reason",
  async (author) => {
    const reasons = [
      new RangeError("enough"),
      "a text",
      { code: 7, when: new Date(0) },
    ];
    for (const reason of reasons) {
      const controller = new AbortController();
      const { promise: ready, resolve } = Promise.withResolvers<void>();
      const aborted = author.untilAborted(controller.signal, resolve);
      await ready;
      controller.abort(reason);
      const there = await aborted;
      if (reason instanceof Error) {
        assertEquals((there as Error).name, reason.name);
        assertEquals((there as Error).message, reason.message);
      } else {
        assertEquals(there, reason);
      }
    }
  },
);

author("a signal's state is known at once", async (author) => {
  const { signal } = new AbortController();
  assertEquals(await author.isAborted(signal), [true, false, undefined]);
  const aborted = await author.isAborted(AbortSignal.abort("why"));
  assertEquals(aborted, [true, true, "why"]);
  const plain = await author.isAborted(AbortSignal.abort());
  assertEquals((plain[2] as Error).name, "AbortError");
});

author(
  "an abort in the plugin arrives in the host, with its reason",
  async (author) => {
    const { signal, abort } = await author.signals();
    assert(signal instanceof AbortSignal);
    assertEquals(signal.aborted, false);
    const aborted = new Promise((resolve) =>
      signal.addEventListener("abort", resolve)
    );
    await abort(new RangeError("enough"));
    await within("the abort", aborted);
    assert(signal.reason instanceof RangeError);
    assertEquals(signal.reason.message, "enough");
  },
);

author(
  "a signal that is sent back aborts for all its holders",
  async (author) => {
    const { signal, abort } = await author.signals();
    const { promise: ready, resolve } = Promise.withResolvers<void>();
    const there = author.untilAborted(signal, resolve);
    await ready;
    await abort("both");
    assertEquals(await there, "both");
  },
);

author(
  "AbortSignal.any() and timeout() work with imported signals",
  async (author) => {
    const { signal, abort } = await author.signals();
    const any = AbortSignal.any([signal, new AbortController().signal]);
    const aborted = new Promise((resolve) =>
      any.addEventListener("abort", resolve)
    );
    await abort("one of them");
    await within("the abort", aborted);
    assertEquals(any.reason, "one of them");
  },
);

// Streams

author("streams carry bytes and values of every kind", async (author) => {
  const values = [1, undefined, null, { a: new Date(0) }, [2n], "x", false];
  assertEquals(await Array.fromAsync(await author.values(values)), values);
  assertEquals(await author.collect(ReadableStream.from(values)), values);
  assertEquals(await author.collect(ReadableStream.from([])), []);
  const bytes = new Uint8Array([1, 2, 3]);
  assertEquals(await author.collect(new Blob([bytes]).stream()), [bytes]);
  const [sum] = await Array.fromAsync(
    await author.values([(a: number, b: number) => a + b]),
  ) as ((a: number, b: number) => Promise<number>)[];
  assertEquals(await sum!(20, 22), 42);
});

author(
  "a slow reader in the host stops a fast source in the plugin",
  async (author) => {
    const stream = await author.endless();
    const reader = stream.getReader();
    await reader.read();
    const sourceRead = () => author.sourceRead();
    await settled(WINDOW, sourceRead, sourceRead);

    for (let chunk = 0; chunk < 50; chunk++) await reader.read();
    assert(await author.sourceRead() > 50);
    await reader.cancel("enough");
    assertEquals(await author.sourceRead(), -1);
    assertEquals(await author.kept(), ["enough"]);
  },
);

author(
  "a slow reader in the plugin stops a fast source in the host",
  async (author) => {
    let made = 0;
    const { promise: cancelled, resolve } = Promise.withResolvers<unknown>();
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        made++;
        controller.enqueue(new Uint8Array(65_536));
      },
      cancel: resolve,
    });
    await author.keep(stream);
    await settled(WINDOW, () => made, () => author.sourceRead());

    const [home] = await author.kept() as [ReadableStream];
    assertStrictEquals(home, stream);
    resolve("not needed");
    await cancelled;
  },
);

author(
  "a slow writable in the host stops a fast writer in the plugin",
  async (author) => {
    let written = 0;
    let taken = 0;
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    const { promise: closed, resolve: close } = Promise.withResolvers<void>();
    const stream = new WritableStream<Uint8Array>({
      async write(chunk) {
        await opened;
        taken += chunk.length;
      },
      close,
    });
    const writing = author.writeInto(
      stream,
      200,
      (chunk) => void (written = chunk),
    );
    await settled(WINDOW, () => written, () => author.sourceRead());

    open();
    await writing;
    await closed;
    assertEquals(taken, 200 * 65_536);
  },
);

author("a stream's error is the reader's error", async (author) => {
  const reader = (await author.failing()).getReader();
  assertEquals(await reader.read(), { done: false, value: 1 });
  const error = await failure(reader.read());
  assertEquals(error.name, "RangeError");
  assertEquals(error.message, "the source broke");

  const broken = new ReadableStream({
    pull: () => Promise.reject(new RangeError("broken here")),
  });
  const there = await failure(author.collect(broken));
  assertEquals(there.name, "RangeError");
  assertEquals(there.message, "broken here");

  const refusing = new WritableStream<Uint8Array>({
    write: () => Promise.reject(new RangeError("the disk is full")),
  });
  const full = await failure(author.writeInto(refusing, 200, () => {}));
  assertEquals(full.message, "the disk is full");
});

author("pipeThrough() works with a pair of streams", async (author) => {
  const { readable, writable } = await author.transform();
  const words = ReadableStream.from(["one", "two"]);
  assertEquals(
    await Array.fromAsync(words.pipeThrough({ readable, writable })),
    ["ONE", "TWO"],
  );
});

// Three processes

async function threeProcesses(
  test: (machine: Machine, provisioner: Provisioner) => Promise<void>,
): Promise<void> {
  const [one, other] = await Promise.all([
    launch(program("echo_plugin.ts")),
    launch(program("echo_plugin.ts")),
  ]);
  await using a = one;
  await using b = other;
  const machine = await a.create<Machine>("thing", "machine");
  const provisioner = await b.create<Provisioner>("thing", "provisioner");
  await test(machine, provisioner);
}

testPosix(
  "an object of one plugin works in another, with its streams",
  () =>
    threeProcesses(async (machine, provisioner) => {
      const chunks = 160;
      const read = await provisioner.roundTrip(machine, chunks);
      assertEquals(read, chunks * 65_536);
      assertEquals(await machine.taken(), read);
      assertEquals(await provisioner.run(machine, "ls"), [3, "ran ls"]);
      const missing = await failure(provisioner.downloadMissing(machine)) as
        & Error
        & { code: string };
      assertEquals(missing.message, "/missing: no such file");
      assertEquals(missing.code, "ENOENT");
    }),
);

testPosix(
  "a slow plugin stops a fast one, and an abort is forwarded",
  () =>
    threeProcesses(async (machine, provisioner) => {
      const controller = new AbortController();
      let made = 0;
      const { promise: begun, resolve } = Promise.withResolvers<void>();
      const stalled = provisioner.stall(
        machine,
        controller.signal,
        (count) => {
          made = count;
          if (count > 2) resolve();
        },
      );
      await begun;
      const calls = () => Promise.all([machine.taken(), provisioner.ping()]);
      await settled(2 * WINDOW, () => made, calls);

      controller.abort("the build was cancelled");
      const [message, cancelled] = await stalled;
      assertMatch(`${message} ${cancelled}`, /the build was cancelled/);
    }),
);

testPosix(
  "a function keeps its identity in another plugin and back at home",
  async () => {
    await using a = await launch(program("echo_plugin.ts"));
    await using b = await launch(program("echo_plugin.ts"));
    const one = await a.create<Author>("thing", "author");
    const other = await b.create<Author>("thing", "author");
    const account = await one.account("Ada", 3);
    const back = await other.echo(account);
    assertStrictEquals(back, account);
    assert(await one.isAccount(back));
    await other.keep(account);
    const [kept] = await other.kept() as [Account];
    assertEquals(await kept.read(), 3);
    assertEquals(`${kept}`, "Ada's account");
  },
);

testPosix(
  "the exit of a plugin is an error in the plugin that holds its object",
  async () => {
    const [a, b] = await Promise.all([
      launch(program("echo_plugin.ts")),
      launch(program("echo_plugin.ts")),
    ]);
    const machine = await a.create<Machine>("thing", "machine");
    await using plugin = b;
    const provisioner = await plugin.create<Provisioner>(
      "thing",
      "provisioner",
    );
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    const call = provisioner.stall(
      machine,
      new AbortController().signal,
      (count) => count > 2 && resolve(),
    );
    await begun;
    await a.close();
    const [message, cancelled] = await within("the call", call);
    assertStringIncludes(message, a.name);
    assertStringIncludes(cancelled, a.name);
  },
);

// What cannot be sent

author(
  "a value that cannot be sent is a TypeError with its path",
  async (author) => {
    const unsendable: [unknown, RegExp][] = [
      [{ a: { b: [1, Symbol("x")] } }, /a\.b\.1|a\.b\[1\]/],
      [{ later: Promise.resolve(1) }, /later/],
      [new Map([["weak", new WeakMap()]]), /weak|0\.1/],
      [[new WeakRef({})], /0/],
      [{ shared: new SharedArrayBuffer(1) }, /shared/],
    ];
    for (const [value, place] of unsendable) {
      const error = await failure(author.echo(value) as Promise<unknown>);
      assert(error instanceof TypeError, Deno.inspect(error));
      assertMatch(error.message, place);
    }
    for (
      const [kind, place] of [
        ["symbol", /at\.0\.depth|at\[0\]\.depth/],
        ["promise", /later/],
        ["weakMap", /weak|0\.1/],
      ] as const
    ) {
      const error = await failure(author.unsendable(kind));
      assertEquals(error.name, "TypeError");
      assertMatch(error.message, place);
    }
    assertEquals(await author.echo("still there"), "still there");
  },
);

author(
  "a stream that is being read cannot be read by the peer",
  async (author) => {
    const stream = new ReadableStream();
    stream.getReader();
    const error = await failure(author.collect(stream));
    assert(error instanceof TypeError, Deno.inspect(error));
    assertMatch(error.message, /lock/i);
  },
);

author("no key pollutes a prototype", async (author) => {
  const evil = JSON.parse('{"__proto__":{"polluted":1},"a":{"constructor":1}}');
  await author.echo(evil).catch((error: unknown) => {
    assert(error instanceof Error);
  });
  assertEquals(({} as Record<string, unknown>).polluted, undefined);
  assertEquals(await author.echo("still there"), "still there");
});

author(
  "keys that superjson refuses are sent like any other",
  async (author) => {
    const shared: { constructor?: unknown; prototype: unknown } = {
      prototype: new Set([1n]),
    };
    const value = {
      constructor: shared,
      again: [shared, { constructor: "constructor" }],
      cycle: shared,
    };
    Object.assign(shared, { constructor: shared });
    const back = await author.echo(value) as typeof value;
    assertEquals(back.again[1], { constructor: "constructor" });
    assertStrictEquals(back.constructor, back.cycle);
    assertStrictEquals(back.cycle.constructor, back.cycle);
    assertEquals(back.cycle.prototype, new Set([1n]));
    const fields = await author.echo({
      account: Object.assign(() => {}, {}),
      constructor: 1,
    });
    assertEquals((fields as { constructor: unknown }).constructor, 1);
  },
);

author("an object can be awaited, and is not a promise", async (author) => {
  const account = await author.account("Ada", 1);
  assertEquals((account as unknown as { then?: unknown }).then, undefined);
  assertStrictEquals(await account, account);
  assert(!("opened" in account), "a static field is not the instance's");
});

// Release

testPosix(
  "references are released when they are dropped or disposed",
  async () => {
    const [command, ...args] = program(
      "gc_host.ts",
      "--v8-flags=--expose-gc",
    ) as [string, ...string[]];
    const { success, stdout } = await new Deno.Command(command, {
      args,
      stdin: "null",
      stderr: "inherit",
    }).output();
    assert(success);
    const counts = JSON.parse(new TextDecoder().decode(stdout));
    assertEquals(counts.start, { exported: 0, imported: 1 });
    assertEquals(counts.held.imported, 1_001);
    assertEquals(counts.collected, 1);
    assertEquals(counts.using.imported, 2);
    assertEquals(counts.disposed.imported, 1);
    assertMatch(counts.afterDispose, /released|disposed|let go/);
    assertEquals(counts.stillThere, 5);
    assertEquals(counts.echoed, 0);
    assertEquals(counts.streams, 1);
    assertEquals(counts.keptThere, 1);
    assertEquals(counts.closed, { exported: 0, imported: 0 });
  },
);
