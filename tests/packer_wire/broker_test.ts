// The broker: numbers that are dialled and accepted, each within 5 s.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { MuxBroker } from "../../plugin/packer_wire/broker.ts";
import { ConnectionClosedError } from "../../plugin/rpc/protocol.ts";
import { Pair, RawPeer, socketPair } from "./support.ts";

Deno.test("a number is the offerer's: equal ones of both sides do not meet", async () => {
  await using pair = await Pair.open();
  const [host, plugin] = [pair.host.broker, pair.plugin.broker];
  assertEquals([host.nextId(), plugin.nextId()], [1, 1]);
  const ofHost = host.accept(1);
  const ofPlugin = plugin.accept(1);
  const toHost = await plugin.dial(1);
  const toPlugin = await host.dial(1);
  await toHost.write(new Uint8Array([1]));
  await toPlugin.write(new Uint8Array([2]));
  assertEquals(await (await ofHost).read(), new Uint8Array([1]));
  assertEquals(await (await ofPlugin).read(), new Uint8Array([2]));
});

Deno.test("a dial may come before the accept", async () => {
  await using pair = await Pair.open();
  const dialled = pair.plugin.broker.dial(7);
  await pair.plugin.broker.session.ping();
  const accepted = await pair.host.broker.accept(7);
  await (await dialled).write(new Uint8Array([1]));
  assertEquals(await accepted.read(), new Uint8Array([1]));
});

Deno.test("the number crosses as four bytes, lowest first, and comes back", async () => {
  const [one, other] = await socketPair();
  const broker = new MuxBroker(other, { role: "server" });
  const peer = new RawPeer(one);
  const accepted = broker.accept(0x01020304);
  await peer.send(1, 1, 1, 0);
  await peer.next();
  // In two pieces, the second with the first bytes of the content.
  await peer.send(0, 0, 1, 1, new Uint8Array([4]));
  await peer.send(0, 0, 1, 5, new Uint8Array([3, 2, 1, 9, 8]));
  assertEquals((await peer.next())!.body, new Uint8Array([4, 3, 2, 1]));
  assertEquals(await (await accepted).read(), new Uint8Array([9, 8]));
  await broker.close();
  one.close();
});

Deno.test("a wrong acknowledgement is an error", async () => {
  const [one, other] = await socketPair();
  const broker = new MuxBroker(other, { role: "server" });
  const peer = new RawPeer(one);
  const dialled = broker.dial(3);
  const { id } = (await peer.next())!;
  await peer.next();
  await peer.send(0, 0, id, 4, new Uint8Array([4, 0, 0, 0]));
  await assertRejects(() => dialled, ConnectionClosedError, "number 3");
  await broker.close();
  one.close();
});

Deno.test("each side waits 5 s for the other, and no stream is left", async () => {
  await using pair = await Pair.open();
  const [host, plugin] = [pair.host.broker, pair.plugin.broker];
  const begin = performance.now();
  await Promise.all([
    assertRejects(() => host.accept(1), ConnectionClosedError, "within 5 s"),
    assertRejects(() => plugin.dial(2), ConnectionClosedError, "number 2"),
  ]);
  assert(performance.now() - begin >= 4_990);
  await pair.host.broker.session.ping();
  assertEquals([host.session.streamCount, plugin.session.streamCount], [0, 0]);
});

Deno.test("dials that nobody accepts are refused when they are many", async () => {
  await using pair = await Pair.open({ pendingDials: 3 });
  const dials = Array.from(
    { length: 10 },
    (_, id) => pair.plugin.broker.dial(id + 1),
  );
  const results = Promise.allSettled(dials);
  await pair.plugin.broker.session.ping();
  await pair.host.broker.session.ping();
  assertEquals(pair.host.broker.session.streamCount, 3);
  // Those that wait are still there to be accepted.
  await pair.host.broker.accept(1);
  await dials[0];
  assert((await results).slice(3).every(({ status }) => status === "rejected"));
});

Deno.test("a number is dialled once", async () => {
  await using pair = await Pair.open();
  const accepted = pair.host.broker.accept(5);
  await pair.plugin.broker.dial(5);
  await accepted;
  const again = [pair.plugin.broker.dial(5), pair.plugin.broker.dial(5)];
  const results = Promise.allSettled(again);
  await assertRejects(() => again[1]!, ConnectionClosedError);
  for (const { status } of await results) assertEquals(status, "rejected");
  await pair.plugin.broker.session.ping();
  assertEquals(pair.host.broker.session.streamCount, 1);
});

Deno.test("who waits is told when the connection ends", async () => {
  const pair = await Pair.open();
  const waiting = Promise.allSettled([
    pair.host.broker.accept(1),
    pair.plugin.broker.accept(1),
    pair.plugin.broker.dial(9),
  ]);
  await pair.host.close();
  for (const { status } of await waiting) assertEquals(status, "rejected");
  await pair.plugin.ended;
  await assertRejects(
    () => pair.plugin.broker.accept(3),
    ConnectionClosedError,
  );
  await assertRejects(() => pair.plugin.broker.dial(3), ConnectionClosedError);
});
