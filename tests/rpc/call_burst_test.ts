// Call bursts: while calls follow each other closely, a plugin reads the next one with
// a blocking read. What it does besides must go on all the same.

import { assert, assertEquals } from "@std/assert";
import { CallBurst } from "../../host/plugin/call_burst.ts";
import { launch } from "../../host/mod.ts";
import { Connection } from "../../plugin/rpc/connection.ts";
import type { Transport } from "../../plugin/rpc/transport.ts";
import { EventLoopYield } from "../../plugin/common/event_loop_yield.ts";
import { BareHost } from "../conformance/bare_host.ts";
import { program, testPosix } from "../support/plugin_process.ts";
import { within } from "../support/within.ts";

interface Caller {
  echo<T>(value: T): Promise<T>;
  later(callback: () => void): Promise<void>;
}

const command = program("burst_plugin.ts");

/** Makes more calls than it takes to be a burst. */
async function makeBurst(thing: Caller): Promise<void> {
  for (let call = 0; call < 200; call++) assertEquals(await thing.echo(1), 1);
}

testPosix(
  "a plugin's own work goes on after a burst",
  async () => {
    await using plugin = await launch(command);
    const thing = await plugin.create<Caller>("thing", "");
    await makeBurst(thing);
    for (let time = 0; time < 5; time++) {
      const { promise: done, resolve } = Promise.withResolvers<void>();
      await thing.later(resolve);
      await within("the plugin's own work", done);
    }
  },
);

testPosix("a plugin's own work goes on during a burst", async () => {
  await using plugin = await launch(command);
  const thing = await plugin.create<Caller>("thing", "");
  for (let time = 0; time < 20; time++) {
    await makeBurst(thing);
    let isDone = false;
    await thing.later(() => {
      isDone = true;
    });
    let calls = 0;
    while (!isDone && calls < 2_000) {
      await thing.echo(1);
      calls++;
    }
    assert(isDone);
  }
});

testPosix("the host's own work goes on during a burst", async () => {
  await using plugin = await launch(command);
  const thing = await plugin.create<Caller>("thing", "");
  for (let time = 0; time < 20; time++) {
    await makeBurst(thing);
    let isDone = false;
    setTimeout(() => isDone = true, 0);
    let calls = 0;
    while (!isDone && calls < 2_000) {
      await thing.echo(1);
      calls++;
    }
    assert(isDone);
  }
});

testPosix("a plugin exits when the host closes it during a burst", async () => {
  await using plugin = await launch(command);
  const thing = await plugin.create<Caller>("thing", "");
  await makeBurst(thing);
  assertEquals(await plugin.close(), undefined);
});

/** Returns a call of `later()`, whose callback the plugin calls without getting another message. */
function later(on: number, soon: unknown) {
  return {
    json: { call: 2, on, method: "later", args: [{ ref: 1 }], soon },
    meta: { values: { "args.0": [["custom", "function"]] }, v: 1 },
  };
}

const withoutMore: Record<
  string,
  (host: BareHost, on: number) => Promise<void>
> = {
  "an empty line behind it": (host, on) =>
    host.write(`${JSON.stringify(later(on, true))}\n\n`),
  "raw bytes and an empty line behind it": (host, on) => {
    const { json, meta } = later(on, true);
    const withBytes = { json: { ...json, bytes: [2] }, meta };
    return host.write(`${JSON.stringify(withBytes)}\n\n\n\n`);
  },
  "an empty line that comes by itself": async (host, on) => {
    await host.send(later(on, true));
    assertEquals((await host.message()).json.return, 2);
    await host.write("\n");
  },
  "a message behind it that is not a call": async (host, on) => {
    await host.send(later(on, true));
    assertEquals((await host.message()).json.return, 2);
    await host.send({ json: { abort: 99 } });
  },
  "another value than true": (host, on) => host.send(later(on, "yes")),
};

for (const [name, send] of Object.entries(withoutMore)) {
  testPosix(
    `a plugin does not block after an announcement with ${name}`,
    async () => {
      await using host = new BareHost(command);
      await send(host, await host.greet("thing", ""));
      let { json } = await host.message();
      if (json.return === 2) ({ json } = await host.message());
      assertEquals(json.on, 1);
      assertEquals((await host.end()).code, 0);
    },
  );
}

testPosix("a plugin in a blocking read exits at the end of stdin", async () => {
  await using host = new BareHost(command);
  const on = await host.greet("thing", "");
  await host.send({ json: { call: 2, on, method: "echo", soon: true } });
  assertEquals((await host.message()).json, { return: 2 });
  assertEquals((await host.end()).code, 0);
});

Deno.test("EventLoopYield.shouldYield is true until the event loop has had a turn", async () => {
  const turns = new EventLoopYield(60_000);
  assert(turns.shouldYield);
  const { promise: turn, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, 0);
  // Microtasks are no turn of the event loop.
  for (let step = 0; step < 1_000; step++) await null;
  assert(turns.shouldYield);
  await turn;
  assert(!turns.shouldYield);
});

Deno.test("a burst begins with calls close to each other, and its end is reported", async () => {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const burst = new CallBurst(resolve);
  assertEquals(burst.recordCall(), false);
  let calls = 0;
  while (!burst.recordCall() && calls < 10_000) calls++;
  assert(burst.recordCall());
  await within("the end of the burst", over);
});

Deno.test("a call announces another line only while no other call is in flight", async () => {
  const written: string[] = [];
  const transport: Transport = {
    write(bytes) {
      written.push(new TextDecoder().decode(bytes));
    },
  };
  const connection = new Connection(transport, {
    peer: "/plugin",
    announcesMore: () => true,
  });
  const first = connection.call(1, "a", []);
  void connection.call(1, "b", []).catch(() => {});
  connection.receive(new TextEncoder().encode('{"json":{"return":1}}\n'));
  await first;
  connection.sendEmptyLine();
  await null;
  assertEquals(written.join("").split("\n"), [
    '{"json":{"call":1,"on":1,"method":"a","soon":true}}',
    '{"json":{"call":2,"on":1,"method":"b"}}',
    "",
    "",
  ]);
  connection.close(new Error("the test is over"));
});
