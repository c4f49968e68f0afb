// The requirements of docs/protocol.md for a plugin: each test writes plain lines to the process.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { BareHost } from "./bare_host.ts";
import { plugins } from "./plugins.ts";
import { skippable } from "../support/programs.ts";

const error = [["custom", "error"]];

const promises: Record<string, (host: BareHost) => Promise<void>> = {
  "speaks first, with a hello that names all it serves": async (host) => {
    const line = await host.line();
    const { json, meta } = JSON.parse(line);
    assertEquals(json.hello, "baler");
    assertEquals(json.protocols, [1]);
    assertMatch(json.sdk, /^\d+\.\d+\.\d+/);
    assertEquals(json.components, { conformance: ["suite"] });
    assertEquals(meta, undefined);
    assertEquals(line, JSON.stringify(JSON.parse(line)) + "\n");
  },

  "ends with a reason on stderr when the host refuses": async (host) => {
    await host.message();
    await host.send({
      json: { refuse: "bare 0 speaks protocol 7, this plugin 1" },
    });
    const { code, stderr, unread } = await host.end();
    assert(code !== 0);
    assertMatch(stderr, /bare 0 speaks protocol 7, this plugin 1/);
    assertEquals(unread, "");
  },

  "exits when the host chooses a protocol that it did not offer": async (
    host,
  ) => {
    await host.message();
    await host.send({ json: { welcome: 2, host: "bare 0" } });
    const { code } = await host.ended();
    assert(code !== 0);
  },

  "exits with code 0 when stdin is closed": async (host) => {
    await host.greet();
    assertEquals((await host.end()).code, 0);
  },

  "aborts a call and exits with code 0 when stdin is closed": async (
    host,
  ) => {
    const on = await host.greet();
    await host.send({
      json: { call: 2, on, method: "waitAbort", args: [{ ref: 1 }] },
      meta: { values: { "args.0": [["custom", "signal"]] }, v: 1 },
    });
    await host.send({ json: { call: 3, on, method: "add", args: [1, 1] } });
    assertEquals((await host.message()).json.return, 3);
    assertEquals((await host.end()).code, 0);
  },

  "ignores empty lines": async (host) => {
    const on = await host.greet();
    await host.write("\n\n");
    await host.send({ json: { call: 2, on, method: "add", args: [1, 1] } });
    assertEquals(await host.message(), { json: { return: 2, value: 2 } });
  },

  "reads a message that comes in pieces": async (host) => {
    const on = await host.greet();
    const line = JSON.stringify({
      json: { call: 2, on, method: "echo", args: ["grüße"] },
    }) + "\n";
    for (const byte of new TextEncoder().encode(line)) {
      await host.write(Uint8Array.of(byte));
    }
    assertEquals(await host.message(), { json: { return: 2, value: "grüße" } });
  },

  "reads and writes raw bytes after a line": async (host) => {
    const on = await host.greet();
    const values = {
      "args.0.0": [["custom", "bytes"]],
      "args.0.1": [["custom", "bytes"]],
    };
    await host.send({
      json: { call: 2, on, method: "echo", args: [[1, 0]], bytes: [3, 2] },
      meta: { values, v: 1 },
    });
    await host.write(Uint8Array.of(10, 11, 12, 0, 255));
    const { json, meta } = await host.message();
    assertEquals(meta.values["value.0"], [["custom", "bytes"]]);
    const first = await host.bytes(json.bytes[0]);
    const second = await host.bytes(json.bytes[1]);
    assertEquals([first, second][json.value[0]], Uint8Array.of(0, 255));
    assertEquals([first, second][json.value[1]], Uint8Array.of(10, 11, 12));
    await host.send({ json: { call: 3, on, method: "add", args: [1, 1] } });
    assertEquals((await host.message()).json, { return: 3, value: 2 });
  },

  "writes no meta for plain values": async (host) => {
    const on = await host.greet();
    const value = { a: [1, 2.5, "x", null, true, { "b.c": [] }] };
    await host.send({ json: { call: 2, on, method: "echo", args: [value] } });
    assertEquals(await host.message(), { json: { return: 2, value } });
  },

  "escapes dots and backslashes in the paths of its meta": async (host) => {
    const on = await host.greet();
    const values = { "args.0.a\\.b\\\\.c": ["bigint"] };
    await host.send({
      json: { call: 2, on, method: "echo", args: [{ "a.b\\": { c: "7" } }] },
      meta: { values, v: 1 },
    });
    assertEquals(await host.message(), {
      json: { return: 2, value: { "a.b\\": { c: "7" } } },
      meta: { values: { "value.a\\.b\\\\.c": ["bigint"] }, v: 1 },
    });
  },

  "rejects methods that are not listed and references that do not exist or were released":
    async (
      host,
    ) => {
      const on = await host.greet();
      const names = [
        "notExported",
        "constructor",
        "__proto__",
        "hasOwnProperty",
        "#now",
        "",
        "missing",
      ];
      const calls: unknown[] = [
        ...names.map((method) => ({ on, method, args: [] })),
        { on, args: [] },
        { on: 4711, method: "echo", args: [] },
        { method: "destroy", args: [] },
        { method: "create", args: ["conformance", "sweet"] },
        { method: "create", args: ["constructor", "name"] },
      ];
      for (const [i, call] of calls.entries()) {
        await host.send({ json: { call: 2 + i, ...call as object } });
        const { json, meta } = await host.message();
        assertEquals(json.throw, 2 + i, JSON.stringify(call));
        assertEquals(meta.values.error, error);
        assert(json.error.message.length > 0);
      }
      await host.send({ json: { release: on, count: 1 } });
      await host.send({ json: { call: 100, on, method: "add", args: [1, 1] } });
      assertEquals((await host.message()).json.throw, 100);
    },

  "keeps a reference that is sent again while it is being released": async (
    host,
  ) => {
    const on = await host.greet();
    const send = (call: number, method: string, args: unknown[] = []) =>
      host.send({ json: { call, on, method, args } });
    await send(2, "makeCounter", [5]);
    const { json } = await host.message();
    const ref = json.value.ref;
    const meta = { values: { "args.0": [["custom", "yours"]] }, v: 1 };
    await host.send({
      json: { call: 3, on, method: "echo", args: [{ ref }] },
      meta,
    });
    await host.send({ json: { release: ref, count: 1 } });
    assertEquals((await host.message()).json.value.ref, ref);
    await host.send({ json: { call: 4, on: ref, method: "read" } });
    assertEquals((await host.message()).json.value, 5);
    await host.send({ json: { release: ref, count: 1 } });
    await host.send({ json: { call: 5, on: ref, method: "read" } });
    assertEquals((await host.message()).json.throw, 5);
  },

  "counts a reference that is in one message twice once": async (host) => {
    const on = await host.greet();
    await host.send({
      json: { call: 2, on, method: "makeCounter", args: [5] },
    });
    const ref = (await host.message()).json.value.ref;
    const yours = [["custom", "yours"]];
    await host.send({
      json: { call: 3, on, method: "echo", args: [[{ ref }, { ref }]] },
      meta: { values: { "args.0.0": yours, "args.0.1": yours }, v: 1 },
    });
    assertEquals(
      (await host.message()).json.value.map((each: { ref: number }) =>
        each.ref
      ),
      [ref, ref],
    );
    await host.send({ json: { release: ref, count: 2 } });
    await host.send({ json: { call: 4, on: ref, method: "read" } });
    assertEquals((await host.message()).json.throw, 4);
  },

  "sends what it was given back as the receiver's own, and releases it then":
    async (host) => {
      const on = await host.greet();
      await host.send({
        json: { call: 2, on, method: "echo", args: [{ ref: 9, name: "f" }] },
        meta: { values: { "args.0": [["custom", "function"]] }, v: 1 },
      });
      assertEquals(await host.message(), {
        json: { return: 2, value: { ref: 9 } },
        meta: { values: { value: [["custom", "yours"]] }, v: 1 },
      });
      await host.send({ json: { call: 3, on, method: "collect" } });
      const after = [await host.message(), await host.message()].map((
        { json },
      ) => json);
      assertEquals(after.find((each) => "release" in each), {
        release: 9,
        count: 1,
      });
    },

  "starts a call before it handles the next message": async (host) => {
    const on = await host.greet();
    const meta = { values: { "args.0": [["custom", "signal"]] }, v: 1 };
    await host.send(
      { json: { call: 2, on, method: "waitAbort", args: [{ ref: 3 }] }, meta },
      { json: { abort: 3, reason: "because" } },
      { json: { call: 3, on, method: "hold", args: ["key"] } },
      { json: { call: 4, on, method: "letGo", args: ["key", "held"] } },
    );
    const answers = new Map<number, unknown>();
    while (answers.size < 3) {
      const { json } = await host.message();
      if ("return" in json) answers.set(json.return, json.value);
    }
    assertEquals([answers.get(2), answers.get(3)], ["because", "held"]);
  },
};

/** Lines that each end the connection with one error. */
const violations: Record<string, string | object> = {
  "a line that is not JSON": "hello?",
  "a line that is not a message": "[1]",
  "a message of no known kind": { json: { shout: 1 } },
  "a message of two kinds": { json: { call: 9, return: 1 } },
  "a message without json": { call: 9 },
  "a meta that does not fit its value": {
    json: { call: 9, method: "create", args: [] },
    meta: { values: { "args.3.a": ["Date"] }, v: 1 },
  },
  "an unknown annotation": {
    json: { call: 9, method: "create", args: [1] },
    meta: { values: { "args.0": ["frob"] }, v: 1 },
  },
  "bytes that were not sent with it": {
    json: { call: 9, method: "create", args: [2] },
    meta: { values: { "args.0": [["custom", "bytes"]] }, v: 1 },
  },
  "a key __proto__":
    '{"json":{"call":9,"method":"create","args":[{"__proto__":{"a":1}}]}}',
  "a path through __proto__": {
    json: { call: 9, method: "create", args: [{}] },
    meta: { values: { "args.0.__proto__.a": ["undefined"] }, v: 1 },
  },
  "an answer to a call that was not made": { json: { return: 1, value: 1 } },
  "a release of more than was sent": { json: { release: 1, count: 2 } },
  "a release of nothing": { json: { release: 77, count: 1 } },
  "an abort of a reference that is not a signal": {
    json: { abort: 5, reason: [{ ref: 5 }] },
    meta: { values: { "reason.0": [["custom", "function"]] }, v: 1 },
  },
  "a second welcome": { json: { welcome: 1, host: "bare 0" } },
  "a line longer than 64 MiB": JSON.stringify({
    json: { call: 9, method: "create", args: ["x".repeat(64 * 1024 * 1024)] },
  }),
  "more than 1 GiB of bytes after a line": {
    json: { call: 9, method: "create", bytes: [2 ** 29, 2 ** 29 + 1] },
  },
  "a negative length": { json: { call: 9, method: "create", bytes: [-1] } },
};

for (const { language, command, missing } of plugins) {
  for (const [name, keeps] of Object.entries(promises)) {
    Deno.test(
      skippable(`a plugin in ${language} ${name}`, missing),
      async () => {
        await using host = new BareHost(command);
        await keeps(host);
      },
    );
  }

  for (const [name, violation] of Object.entries(violations)) {
    Deno.test(
      skippable(
        `a plugin in ${language} ends the connection at ${name}`,
        missing,
      ),
      async () => {
        await using host = new BareHost(command);
        await host.greet();
        const line = typeof violation === "string"
          ? violation
          : JSON.stringify(violation);
        // It may stop reading in the middle of a long line.
        await host.write(line + "\n").catch(() => {});
        const { code, stderr } = await host.ended();
        assert(code !== 0);
        assert(stderr.trim().length > 0);
      },
    );
  }
}
