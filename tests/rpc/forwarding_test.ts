// Forwarding: values that one plugin sends to another through the host arrive
// unchanged, through reused memory, and through enlarged pipes where that is possible.

import { assert, assertEquals } from "@std/assert";
import { launch, type Plugin } from "../../host/mod.ts";
import { BufferPool } from "../../plugin/rpc/payload/pooled_payload.ts";
import { program, testLinux, testPosix } from "../support/plugin_process.ts";

interface Streaming {
  echo<T>(value: T): Promise<T>;
  give(seed: number, count: number): Promise<ReadableStream<Uint8Array>>;
  giveViews(): Promise<ReadableStream<unknown>>;
  expected(seed: number, count: number): Promise<string>;
  take(stream: ReadableStream<Uint8Array>): Promise<string>;
  giveParts(count: number): Promise<ReadableStream<{ data: Uint8Array }>>;
  takeAll<T>(stream: ReadableStream<T>): Promise<T[]>;
}

async function between(
  test: (
    giver: Streaming,
    taker: Streaming,
    plugins: [Plugin, Plugin],
  ) => Promise<void>,
): Promise<void> {
  const [one, other] = await Promise.all([
    launch(program("stream_plugin.ts")),
    launch(program("stream_plugin.ts")),
  ]);
  await using a = one;
  await using b = other;
  await test(
    await a.create<Streaming>("thing", ""),
    await b.create<Streaming>("thing", ""),
    [a, b],
  );
}

testPosix(
  "chunks of any length are forwarded unchanged",
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

testPosix(
  "typed arrays are forwarded, each in memory of its exact length",
  () =>
    between(async (giver, taker) => {
      const expected = await Array.fromAsync(await giver.giveViews());
      const came = await taker.takeAll(await giver.giveViews());
      assertEquals(came, expected);
      for (const value of came) {
        if (!ArrayBuffer.isView(value)) continue;
        assertEquals(value.buffer.byteLength, value.byteLength);
      }
    }),
);

testPosix(
  "a forwarded object keeps the bytes among its fields",
  () =>
    between(async (giver, taker) => {
      // They come back as the stubs that stand for them here.
      const parts = await taker.takeAll(await giver.giveParts(20));
      assertEquals(
        parts.map(({ data }) => data),
        parts.map((_, index) => new Uint8Array(1_000).fill(index)),
      );
    }),
);

Deno.test("pooled memory is reused for the same length only", () => {
  const pool = new BufferPool();
  const [one, other] = [pool.acquire(100), pool.acquire(100)];
  assert(one !== other);
  pool.release([one, other]);
  assert(pool.acquire(99).buffer !== one.buffer);
  const again = [pool.acquire(100), pool.acquire(100), pool.acquire(100)];
  assert(again.includes(one) && again.includes(other));
  assertEquals(new Set(again).size, 3);
});

Deno.test("the pool keeps little memory", () => {
  const pool = new BufferPool();
  const large = Array.from({ length: 6 }, () => pool.acquire(1024 * 1024));
  pool.release(large);
  pool.release([pool.acquire(1024 * 1024 * 1024)]);
  const kept = large.map(() => pool.acquire(1024 * 1024))
    .filter((part) => large.includes(part));
  assertEquals(kept, large.slice(-4));

  const small = Array.from({ length: 1_000 }, () => pool.acquire(1));
  pool.release(small);
  const fromThem = small.map(() => pool.acquire(1))
    .filter((part) => small.includes(part));
  assert(fromThem.length < 100, `${fromThem.length} parts`);
});

// Pipes

/** Returns the capacity of the pipe at a plugin's descriptor, in bytes. */
function pipeSize({ pid }: Plugin, descriptor: number): number {
  const library = Deno.dlopen("libc.so.6", {
    open: { parameters: ["buffer", "i32"], result: "i32" },
    fcntl: { parameters: ["i32", "i32"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
  });
  const { open, fcntl, close } = library.symbols;
  const path = `/proc/${pid}/fd/${descriptor}\0`;
  const O_NONBLOCK = 0o4000;
  const F_GETPIPE_SZ = 1032;
  const opened = open(new TextEncoder().encode(path), O_NONBLOCK);
  const size = fcntl(opened, F_GETPIPE_SZ);
  close(opened);
  library.close();
  return size;
}

testLinux(
  "only a pipe with much traffic is enlarged",
  () =>
    between(async (giver, taker, [one, other]) => {
      await giver.echo(new Uint8Array(60_000));
      const before = [0, 1].map((descriptor) => pipeSize(one, descriptor));
      assertEquals(before, [65_536, 65_536]);
      await taker.take(await giver.give(1, 40));
      const wide = 1024 * 1024;
      assertEquals([pipeSize(one, 0), pipeSize(one, 1)], [65_536, wide]);
      assertEquals([pipeSize(other, 0), pipeSize(other, 1)], [wide, 65_536]);
    }),
);

testLinux(
  "few pipes are enlarged at a time, and exited plugins make room for others",
  async () => {
    const all = await Promise.all(
      Array.from({ length: 10 }, () => launch(program("stream_plugin.ts"))),
    );
    const wideOnes = async (plugins: readonly Plugin[]) => {
      for (const plugin of plugins) {
        const thing = await plugin.create<Streaming>("thing", "");
        for (let call = 0; call < 4; call++) {
          await thing.echo(new Uint8Array(2_000_000));
        }
      }
      return plugins.flatMap((plugin) => [0, 1].map((d) => pipeSize(plugin, d)))
        .filter((size) => size > 65_536).length;
    };
    try {
      assertEquals(await wideOnes(all), 16);
    } finally {
      await Promise.all(all.map((plugin) => plugin.close()));
    }
    await using another = await launch(program("stream_plugin.ts"));
    assertEquals(await wideOnes([another]), 2);
  },
);

testPosix(
  "a host without the permission to enlarge pipes forwards the same",
  async () => {
    const [deno, ...args] = program("no_ffi_host.ts");
    const { stdout, stderr, code } = await new Deno.Command(deno!, {
      args: args.map((arg) =>
        arg === "--allow-all"
          ? "--no-prompt,--allow-run,--allow-read,--allow-env".split(",")
          : arg
      ).flat(),
      stdin: "null",
    }).output();
    const text = new TextDecoder();
    assertEquals(
      [code, text.decode(stdout), text.decode(stderr)],
      [0, "as it was\n", ""],
    );
  },
);
