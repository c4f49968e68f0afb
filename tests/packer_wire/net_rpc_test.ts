// net/rpc over streams: calls, errors, growing tables, limits.

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { WireConnection } from "../../plugin/packer_wire/connection.ts";
import { encodeAll } from "../../plugin/packer_wire/msgpack_writer.ts";
import {
  encodeMsgpack,
  MsgpackDecoder,
} from "../../plugin/packer_wire/msgpack.ts";
import {
  RpcClient,
  type RpcLimits,
  type RpcMethods,
  serveRpc,
} from "../../plugin/packer_wire/net_rpc.ts";
import { Pair } from "./support.ts";

async function served(
  { host, plugin }: Pair,
  methods: RpcMethods,
): Promise<RpcClient> {
  return await plugin.dial(host.offer(methods).id);
}

/** A stream whose other end the test reads and writes as bytes. */
async function rawStream(host: WireConnection, plugin: WireConnection) {
  const { id, stream } = host.offerStream();
  return [await plugin.dialStream(id), await stream] as const;
}

Deno.test("arguments and results cross", async () => {
  await using pair = await Pair.open();
  const client = await served(
    pair,
    new Map<string, (argument: unknown) => unknown>([
      ["Ui.Ask", (query) => `${query}!`],
      ["Ui.Say", () => {}],
      ["Ui.Later", async (value) => (await Promise.resolve(), value)],
    ]),
  );
  assertEquals(await client.call("Ui.Ask", "who?"), "who?!");
  assertEquals(await client.call("Ui.Say", "x"), null);
  assertEquals(await client.call("Ui.Later"), null);
  const value = { a: [1, -2.5, null, true, "ä"], b: new Uint8Array([1]) };
  assertEquals(await client.call("Ui.Later", value), value);
});

Deno.test("an error crosses as its text, an empty one as some text", async () => {
  await using pair = await Pair.open();
  const client = await served(
    pair,
    new Map([
      ["A.Fail", () => {
        throw new Error("the disk is full");
      }],
      ["A.Empty", () => {
        throw new Error("");
      }],
      ["A.Odd", () => {
        // deno-lint-ignore no-throw-literal
        throw "no error";
      }],
      ["A.Unsendable", () => () => {}],
    ]),
  );
  await assertRejects(() => client.call("A.Fail"), Error, "the disk is full");
  await assertRejects(() => client.call("A.Empty"), Error, "unknown error");
  await assertRejects(() => client.call("A.Odd"), Error, "no error");
  await assertRejects(
    () => client.call("A.Unsendable"),
    Error,
    "cannot be sent",
  );
  await assertRejects(
    () => client.call("A.toString"),
    Error,
    "rpc: can't find method A.toString",
  );
});

Deno.test("calls run side by side, and are answered when they are done", async () => {
  await using pair = await Pair.open();
  const { promise, resolve } = Promise.withResolvers<string>();
  const client = await served(
    pair,
    new Map([
      ["A.Slow", () => promise],
      ["A.Fast", () => resolve("slow")],
    ]),
  );
  const slow = client.call("A.Slow");
  await client.call("A.Fast");
  assertEquals(await slow, "slow");
});

Deno.test("methods that are added later are served", async () => {
  await using pair = await Pair.open();
  const methods: RpcMethods = new Map();
  methods.set("Ui.New", () => {
    // The name has dots: a method is what stands behind the last one.
    methods.set("Uit.json8f.Add", (count) => count);
    return "t.json8f";
  });
  const client = await served(pair, methods);
  const id = await client.call("Ui.New");
  assertEquals(await client.call(`Ui${id}.Add`, 32), 32);
});

Deno.test("calls in flight fail when the stream, or the connection, ends", async () => {
  const pair = await Pair.open();
  const { promise: never } = Promise.withResolvers<void>();
  const methods: RpcMethods = new Map([["A.Never", () => never]]);
  const [one, other] = [
    await served(pair, methods),
    await served(pair, methods),
  ];
  const first = one.call("A.Never");
  one.close();
  await assertRejects(() => first, Error, "A.Never: connection is shut down");
  await assertRejects(() => one.call("A.Never"), Error, "shut down");
  const second = other.call("A.Never");
  await pair.plugin.broker.session.ping();
  pair.host.broker.session.close();
  await assertRejects(() => second, Error, "A.Never: ");
  await pair.plugin.ended;
});

Deno.test("the bytes of a request and of a response are those of Go", async () => {
  await using pair = await Pair.open();
  const [raw, stream] = await rawStream(pair.host, pair.plugin);
  const client = new RpcClient(stream);
  const result = client.call("Builder.Run", 7);
  const request = encodeAll({ ServiceMethod: "Builder.Run", Seq: 0 }, 7);
  assertEquals(await raw.readExactly(request.length), request);
  // Keys in another order, one more, and the number as an int64.
  await raw.write(
    encodeAll({ Seq: 0, Error: "", More: [1], ServiceMethod: "Builder.Run" }),
  );
  await raw.write(new Uint8Array([0xd3, 0, 0, 0, 0, 0, 0, 0, 9]));
  assertEquals(await result, 9);
  // The body of an error is passed over, and the next call works.
  const failed = client.call("Builder.Run", 8);
  await raw.write(encodeAll({ ServiceMethod: "", Seq: 1, Error: "no" }, {}));
  await assertRejects(() => failed, Error, "no");
  // A response that nobody waits for.
  await raw.write(encodeAll({ ServiceMethod: "", Seq: 99, Error: "" }, 1));
  const last = client.call("Builder.Run", 9);
  await raw.write(encodeAll({ ServiceMethod: "", Seq: 2, Error: null }, true));
  assertEquals(await last, true);
  client.close();
});

Deno.test("a body that comes in pieces with the next header behind it", async () => {
  await using pair = await Pair.open();
  const [raw, stream] = await rawStream(pair.host, pair.plugin);
  const seen: unknown[] = [];
  const ended = serveRpc(
    stream,
    new Map([["A.B", (value) => void seen.push(value)]]),
  );
  const requests = [..."abc"].flatMap((text, Seq) => [
    ...encodeAll({ ServiceMethod: "A.B", Seq }, text.repeat(300)),
  ]);
  for (let at = 0; at < requests.length; at += 17) {
    await raw.write(Uint8Array.from(requests.slice(at, at + 17)));
  }
  raw.end();
  const decoder = new MsgpackDecoder();
  for (let chunk; (chunk = await raw.read()) !== null;) decoder.push(chunk);
  for (const Seq of [0, 1, 2]) {
    assertEquals(decoder.next()!.value, {
      ServiceMethod: "A.B",
      Seq,
      Error: "",
    });
    assertEquals(decoder.next()!.value, null);
  }
  assertEquals(await ended, undefined);
  assertEquals(seen, ["a".repeat(300), "b".repeat(300), "c".repeat(300)]);
});

/** What ends the stream, and nothing but the stream. */
const VIOLATIONS: Record<
  string,
  [bytes: Uint8Array, limits?: Partial<RpcLimits>]
> = {
  "a header that is no map": [encodeAll(1, 1)],
  "a header without a number": [
    encodeAll({ ServiceMethod: "A.B", Seq: "x" }, 1),
  ],
  "a header with another method": [encodeAll({ ServiceMethod: [], Seq: 1 }, 1)],
  "a header that is too long": [
    encodeAll({ ServiceMethod: "x".repeat(70_000), Seq: 1 }, 1),
  ],
  "a body that is too long": [
    encodeAll({ ServiceMethod: "A.B", Seq: 1 }, "x".repeat(5000)),
    { messageBytes: 4000 },
  ],
  "msgpack that is not valid": [new Uint8Array([0xc1])],
  "too many calls in flight": [
    Uint8Array.from(
      Array(4).fill([...encodeAll({ ServiceMethod: "A.B", Seq: 0 }, 1)]).flat(),
    ),
    { calls: 3 },
  ],
  "an end within a call": [encodeMsgpack({ ServiceMethod: "A.B", Seq: 1 })],
};

for (const [what, [bytes, limits]] of Object.entries(VIOLATIONS)) {
  Deno.test(`a stream ends at ${what}, and the connection goes on`, async () => {
    await using pair = await Pair.open();
    const [raw, stream] = await rawStream(pair.host, pair.plugin);
    const ended = serveRpc(
      stream,
      new Map([["A.B", () => new Promise((resolve) => setTimeout(resolve))]]),
      limits,
    );
    await raw.write(bytes);
    if (what.includes("within")) raw.end();
    assert(await ended instanceof Error);
    await assertRejects(async () => {
      while (await raw.read() !== null);
      throw new Error("the stream has only ended");
    });
    await pair.host.broker.session.ping();
    assertEquals(pair.host.broker.session.streamCount, 0);
  });
}

Deno.test("a client's stream that breaks the rules fails its calls", async () => {
  await using pair = await Pair.open();
  const [raw, stream] = await rawStream(pair.host, pair.plugin);
  const client = new RpcClient(stream);
  const call = client.call("A.B");
  await raw.write(new Uint8Array([0xc1]));
  await assertRejects(() => call, Error, "0xc1");
  await client.ended;
  await assertRejects(() => client.call("A.B"));
});
