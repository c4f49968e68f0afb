// yamux by frames: what a peer must not do, and what this side never does.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConnectionClosedError } from "../../plugin/rpc/protocol.ts";
import type { WireLimits } from "../../plugin/packer_wire/limits.ts";
import {
  YamuxSession,
  type YamuxStream,
} from "../../plugin/packer_wire/yamux.ts";
import { pattern, RawPeer, sha256, socketPair } from "./support.ts";

const DATA = 0, WINDOW = 1, PING = 2, GO_AWAY = 3;
const SYN = 1, ACK = 2, FIN = 4, RST = 8;
const WINDOW_BYTES = 256 * 1024;

/** A session of a plugin, and a host that the test plays. */
async function underTest(
  limits: Partial<WireLimits> = {},
  keepAliveMs?: number,
) {
  const [one, other] = await socketPair();
  const streams: YamuxStream[] = [];
  const session = new YamuxSession(other, {
    role: "server",
    onStream: (stream) => void streams.push(stream),
    limits,
    keepAliveMs,
  });
  const peer = new RawPeer(one);
  return {
    peer,
    session,
    streams,
    /** Waits until all that the peer has sent was taken. */
    async settled() {
      await peer.send(PING, SYN, 0, 77);
      for (;;) {
        const frame = await peer.next();
        if (frame === undefined || frame.type === PING) return;
      }
    },
    async [Symbol.asyncDispose]() {
      await session.close();
      one.close();
    },
  };
}

Deno.test("a stream is acknowledged at once, and a ping answered with its value", async () => {
  await using test = await underTest();
  await test.peer.send(WINDOW, SYN, 1, 0);
  assertEquals(await test.peer.next(), {
    type: WINDOW,
    flags: ACK,
    id: 1,
    length: 0,
    body: new Uint8Array(0),
  });
  await test.peer.send(PING, SYN, 0, 0xfffffffe);
  const { type, flags, id, length } = (await test.peer.next())!;
  assertEquals([type, flags, id, length], [PING, ACK, 0, 0xfffffffe]);
});

Deno.test("frames that are cut anywhere arrive whole", async () => {
  await using test = await underTest();
  const body = new TextEncoder().encode("hello");
  await test.peer.send(WINDOW, SYN, 1, 0);
  const [one, other] = [body.subarray(0, 2), body.subarray(2)];
  await test.peer.conn.write(new Uint8Array([0, DATA, 0]));
  await test.peer.conn.write(new Uint8Array([0, 0, 0, 0, 1, 0, 0]));
  await test.peer.conn.write(new Uint8Array([0, 5, ...one]));
  await test.peer.conn.write(other);
  await test.settled();
  assertEquals(await test.streams[0]!.readExactly(5), body);
});

Deno.test("what came before an end is read, then the end, and the other direction goes on", async () => {
  await using test = await underTest();
  await test.peer.send(WINDOW, SYN, 1, 0);
  await test.peer.send(DATA, FIN, 1, 3, new Uint8Array([1, 2, 3]));
  await test.settled();
  const stream = test.streams[0]!;
  assertEquals(await stream.read(), new Uint8Array([1, 2, 3]));
  assertEquals(await stream.read(), null);
  assertEquals(test.session.streamCount, 1);
  await stream.write(new Uint8Array([9]));
  assertEquals((await test.peer.next())!.body, new Uint8Array([9]));
  stream.end();
  assertEquals((await test.peer.next())!.flags, FIN);
  assertEquals(test.session.streamCount, 0);
});

Deno.test("the end of a direction is sent once, behind all that was written", async () => {
  await using test = await underTest();
  await test.peer.send(WINDOW, SYN, 1, 0);
  await test.settled();
  const stream = test.streams[0]!;
  const written = stream.write(new Uint8Array(100));
  stream.end();
  stream.end();
  await written;
  await assertRejects(
    () => stream.write(new Uint8Array(1)),
    ConnectionClosedError,
  );
  await test.peer.send(WINDOW, FIN, 1, 0);
  assertEquals(await stream.read(), null);
  stream.end();
  stream.reset();
  await test.session.close();
  const frames = await test.peer.rest();
  assertEquals(
    frames.map(({ type, flags, length }) => [type, flags, length]),
    [[DATA, 0, 100], [WINDOW, FIN, 0], [GO_AWAY, 0, 0]],
  );
});

Deno.test("no more is sent than the window allows, and the rest when it grows", async () => {
  await using test = await underTest();
  await test.peer.send(WINDOW, SYN, 1, 0);
  await test.peer.next();
  await test.settled();
  const sent = pattern(WINDOW_BYTES + 1000);
  const written = test.streams[0]!.write(sent);
  const bodies: Uint8Array[] = [];
  let length = 0;
  while (length < WINDOW_BYTES) {
    const { body } = (await test.peer.next())!;
    bodies.push(body);
    length += body.length;
  }
  assertEquals(length, WINDOW_BYTES);
  // Nothing but the answer comes before the window grows.
  await test.peer.send(PING, SYN, 0, 1);
  assertEquals((await test.peer.next())!.type, PING);
  await test.peer.send(WINDOW, 0, 1, 400);
  bodies.push((await test.peer.next())!.body);
  assertEquals(bodies.at(-1)!.length, 400);
  await test.peer.send(WINDOW, 0, 1, 5000);
  bodies.push((await test.peer.next())!.body);
  await written;
  assertEquals(
    await sha256(new Uint8Array(bodies.flatMap((body) => [...body]))),
    await sha256(sent),
  );
});

Deno.test("the window is given back when half of it was read, not when it came", async () => {
  await using test = await underTest();
  await test.peer.send(WINDOW, SYN, 1, 0);
  await test.peer.next();
  for (let sent = 0; sent < WINDOW_BYTES; sent += 65536) {
    await test.peer.send(DATA, 0, 1, 65536, pattern(65536));
  }
  await test.peer.send(PING, SYN, 0, 1);
  assertEquals((await test.peer.next())!.type, PING);
  const stream = test.streams[0]!;
  for (let read = 0; read < WINDOW_BYTES / 2;) {
    read += (await stream.read())!.length;
  }
  const { type, flags, id, length } = (await test.peer.next())!;
  assertEquals([type, flags, id, length], [WINDOW, 0, 1, WINDOW_BYTES / 2]);
});

Deno.test("a reset after the end was seen is no error, one before it is", async () => {
  await using test = await underTest();
  for (const id of [1, 3]) await test.peer.send(WINDOW, SYN, id, 0);
  await test.peer.send(DATA, FIN, 1, 2, new Uint8Array([1, 2]));
  await test.peer.send(WINDOW, RST, 1, 0);
  await test.peer.send(DATA, 0, 3, 1, new Uint8Array([5]));
  await test.peer.send(WINDOW, RST, 3, 0);
  await test.settled();
  const [ended, broken] = test.streams;
  assertEquals(await ended!.read(), new Uint8Array([1, 2]));
  assertEquals(await ended!.read(), null);
  await assertRejects(() => broken!.read(), ConnectionClosedError, "reset");
  await assertRejects(
    () => broken!.write(new Uint8Array(1)),
    ConnectionClosedError,
  );
  assertEquals(test.session.streamCount, 0);
});

Deno.test("frames of a stream that is gone are passed over", async () => {
  await using test = await underTest();
  await test.peer.send(WINDOW, SYN, 1, 0);
  await test.settled();
  test.streams[0]!.reset();
  await test.peer.send(DATA, 0, 1, 4, new Uint8Array(4));
  await test.peer.send(WINDOW, FIN, 1, 0);
  await test.peer.send(WINDOW, RST, 1, 0);
  await test.settled();
  assertEquals(test.session.endReason, undefined);
});

/** What ends the session, with the words of the reason. */
const VIOLATIONS: Record<
  string,
  [
    frames: (peer: RawPeer) => Promise<void>,
    reason: RegExp,
    limits?: Partial<WireLimits>,
  ]
> = {
  "a second end of a stream": [async (peer) => {
    await peer.send(WINDOW, SYN, 1, 0);
    await peer.send(WINDOW, FIN, 1, 0);
    await peer.send(WINDOW, FIN, 1, 0);
  }, /second end/],
  "data behind the end": [async (peer) => {
    await peer.send(WINDOW, SYN | FIN, 1, 0);
    await peer.send(DATA, 0, 1, 1, new Uint8Array(1));
  }, /after its end/],
  "more data than the window has": [async (peer) => {
    await peer.send(WINDOW, SYN, 1, 0);
    for (let sent = 0; sent <= WINDOW_BYTES; sent += 65536) {
      await peer.send(DATA, 0, 1, 65536, new Uint8Array(65536));
    }
  }, /whose window has 0/],
  "a frame longer than any window": [async (peer) => {
    await peer.send(WINDOW, SYN, 1, 0);
    await peer.send(DATA, 0, 1, 0xffffffff);
  }, /4294967295 bytes/],
  "a long frame for a stream that is not there": [async (peer) => {
    await peer.send(DATA, 0, 1, 0xffffffff);
  }, /4294967295 bytes/],
  "a window of more than 4 GiB": [async (peer) => {
    await peer.send(WINDOW, SYN, 1, 0xffffffff);
  }, /4 GiB/],
  "another version": [async (peer) => {
    await peer.conn.write(new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
  }, /version 1/],
  "an unknown type": [async (peer) => {
    await peer.send(9, 0, 1, 0);
  }, /type 9/],
  "a stream of this side's numbers": [async (peer) => {
    await peer.send(WINDOW, SYN, 2, 0);
  }, /cannot be opened/],
  "a stream that is open": [async (peer) => {
    await peer.send(WINDOW, SYN, 1, 0);
    await peer.send(WINDOW, SYN, 1, 0);
  }, /cannot be opened/],
  "more streams than the limit": [
    async (peer) => {
      for (let id = 1; id < 12; id += 2) await peer.send(WINDOW, SYN, id, 0);
    },
    /more than 5 yamux streams/,
    { streams: 5 },
  ],
  "more unread bytes than the limit": [
    async (peer) => {
      for (const id of [1, 3]) {
        await peer.send(WINDOW, SYN, id, 0);
        await peer.send(DATA, 0, id, 60_000, new Uint8Array(60_000));
      }
    },
    /more than 100000 received bytes/,
    { unreadBytes: 100_000 },
  ],
  "an end for a reason": [async (peer) => {
    await peer.send(GO_AWAY, 0, 0, 1);
  }, /yamux code 1/],
};

for (const [what, [frames, reason, limits]] of Object.entries(VIOLATIONS)) {
  Deno.test(`the session ends at ${what}`, async () => {
    await using test = await underTest(limits);
    await frames(test.peer).catch(() => {});
    const ended = await test.session.ended;
    assert(reason.test(ended.message), ended.message);
    for (const stream of test.streams) {
      await assertRejects(() => stream.write(new Uint8Array(1)));
    }
  });
}

Deno.test("a peer that asks and reads no answers ends the session, not the memory", async () => {
  await using test = await underTest({ controlBytes: 120_000 });
  const flood = new Uint8Array(12 * 10_000);
  for (let at = 0; at < flood.length; at += 12) {
    flood.set([0, PING, 0, SYN, 0, 0, 0, 0, 0, 0, 0, 0], at);
  }
  const sending = (async () => {
    for (;;) await test.peer.conn.write(flood);
  })().catch(() => {});
  const reason = await test.session.ended;
  assert(/reads no answers/.test(reason.message), reason.message);
  await sending;
});

Deno.test("small chunks that nobody reads are kept together", async () => {
  await using test = await underTest();
  await test.peer.send(WINDOW, SYN, 1, 0);
  const sent = pattern(20_000);
  for (let at = 0; at < sent.length; at += 100) {
    await test.peer.send(DATA, 0, 1, 100, sent.slice(at, at + 100));
  }
  await test.settled();
  const chunks: Uint8Array[] = [];
  for (let length = 0; length < sent.length;) {
    const chunk = (await test.streams[0]!.read())!;
    chunks.push(chunk);
    length += chunk.length;
  }
  assert(chunks.length < 10, `${chunks.length} chunks`);
  assertEquals(new Uint8Array(chunks.flatMap((chunk) => [...chunk])), sent);
});

Deno.test("a go away refuses new streams and leaves those that are open", async () => {
  await using test = await underTest();
  await test.peer.send(WINDOW, SYN, 1, 0);
  await test.peer.send(GO_AWAY, 0, 0, 0);
  await test.settled();
  assertThrowsClosed(() => test.session.open());
  await test.peer.send(DATA, 0, 1, 1, new Uint8Array([3]));
  assertEquals(await test.streams[0]!.read(), new Uint8Array([3]));
});

function assertThrowsClosed(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    assert(error instanceof ConnectionClosedError);
    return;
  }
  throw new Error("nothing was thrown");
}

Deno.test("a ping measures, and a silent peer is given up by the keep-alive", async () => {
  await using test = await underTest({}, 50);
  const ping = test.session.ping();
  const asked = (await test.peer.next())!;
  await test.peer.send(PING, ACK, 0, asked.length);
  assert(await ping >= 0);
  // From here on the peer is silent.
  const begin = performance.now();
  const reason = await test.session.ended;
  assert(/did not answer a ping/.test(reason.message), reason.message);
  assert(performance.now() - begin >= 10_000);
});

Deno.test("64 MiB cross in both directions at once, byte by byte the same", async () => {
  const [one, other] = await socketPair();
  const sent = pattern(64 * 1024 * 1024);
  const received = async (stream: YamuxStream) => {
    const bytes = new Uint8Array(sent.length);
    let at = 0;
    for (let chunk; (chunk = await stream.read()) !== null;) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    assertEquals(at, sent.length);
    return sha256(bytes);
  };
  const { promise: accepted, resolve } = Promise.withResolvers<YamuxStream>();
  const client = new YamuxSession(one, { role: "client" });
  const server = new YamuxSession(other, { role: "server", onStream: resolve });
  const near = client.open();
  const far = await accepted;
  const writing = [near, far].map(async (stream) => {
    for (let at = 0; at < sent.length; at += 1_000_000) {
      await stream.write(sent.subarray(at, at + 1_000_000));
    }
    stream.end();
  });
  const hashes = await Promise.all([received(near), received(far)]);
  await Promise.all(writing);
  assertEquals(new Set(hashes), new Set([await sha256(sent)]));
  assertEquals([client.streamCount, server.streamCount], [0, 0]);
  await client.close();
  await server.ended;
});

Deno.test("all that was written is there when the session was closed", async () => {
  const [one, other] = await socketPair();
  const { promise: accepted, resolve } = Promise.withResolvers<YamuxStream>();
  const client = new YamuxSession(one, { role: "client" });
  const server = new YamuxSession(other, { role: "server", onStream: resolve });
  const stream = client.open();
  const written = stream.write(new Uint8Array(200_000));
  await client.close();
  await written;
  const far = await accepted;
  assertEquals((await far.readExactly(200_000)).length, 200_000);
  await assertRejects(() => far.read(), ConnectionClosedError);
  await server.ended;
  await assertRejects(() => stream.read(), ConnectionClosedError);
});
