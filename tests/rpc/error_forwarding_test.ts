// Errors that are forwarded: whatever invalid or unsendable value one plugin sends,
// another gets an error that it understands. The host between them survives, and no
// call waits forever.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Connection } from "../../plugin/rpc/connection.ts";
import { DEFAULT_LIMITS } from "../../plugin/rpc/protocol.ts";
import { formatErrorChain } from "../../host/errors/error_message.ts";
import { launch } from "../../host/mod.ts";
import { program, testPosix } from "../support/plugin_process.ts";
import { failure } from "../support/failure.ts";

/** A value on the wire. `VALUE` in an annotation is replaced by its path. */
interface SentValue {
  json: unknown;
  values?: Record<string, unknown>;
  equalities?: Record<string, string[]>;
}

/** The other end of a connection, which sends anything. */
class Peer {
  readonly connection: Connection;
  /** The messages that it has received. */
  readonly #received: Record<string, unknown>[] = [];
  /** The protocol error that closed the connection. */
  brokenBy: Error | undefined;
  #wake: (() => void)[] = [];

  constructor(root: object, answer: (call: Record<string, unknown>) => void) {
    let text = "";
    this.connection = new Connection({
      write: (bytes) => {
        text += new TextDecoder().decode(bytes);
        const lines = text.split("\n");
        text = lines.pop()!;
        for (const line of lines) {
          const { json } = JSON.parse(line);
          this.#received.push(json);
          for (const wake of this.#wake.splice(0)) wake();
          if ("call" in json) queueMicrotask(() => answer(json));
        }
      },
    }, {
      peer: "/plugin",
      root,
      onProtocolError: (error) => {
        this.brokenBy = error;
      },
    });
  }

  /** Resolves to the first message that matches. */
  async hears(
    isMeant: (json: Record<string, unknown>) => boolean,
  ): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.#received.find(isMeant);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  send(message: Record<string, unknown>, place = "", sent?: SentValue): void {
    const at = (path: string) => path.replace("VALUE", place);
    const json = sent === undefined ? message : {
      ...message,
      [place]: sent.json,
    };
    const values = Object.entries(sent?.values ?? {})
      .map(([path, value]) => [at(path), value]);
    const equalities = Object.entries(sent?.equalities ?? {})
      .map(([path, others]) => [at(path), others.map(at)]);
    const meta = {
      values: Object.fromEntries(values),
      referentialEqualities: Object.fromEntries(equalities),
    };
    const line = JSON.stringify(sent === undefined ? { json } : { json, meta });
    this.connection.receive(new TextEncoder().encode(`${line}\n`));
  }
}

const ERROR = [["custom", "error"]];

/** The longest line, in ASCII characters. */
const LONGEST = 64 * 1024 * 1024;

/** Returns a chain of so many objects, each inside of the one before. */
function chain(
  length: number,
  one: () => object,
  key: string,
  annotation?: unknown,
): SentValue {
  const indexes = [...Array(length).keys()];
  return {
    json: indexes.map(one),
    values: annotation === undefined ? {} : Object.fromEntries(
      indexes.map((index) => [`VALUE.${index}`, annotation]),
    ),
    equalities: Object.fromEntries(
      indexes.slice(1).map((index) => [
        `VALUE.${index}`,
        [`VALUE.${index - 1}.${key}`],
      ]),
    ),
  };
}

/** Values that fit into a message and cannot be forwarded unchanged. */
const SENT_VALUES: Readonly<Record<string, () => SentValue>> = {
  "an error that is too long with its stack": () => ({
    json: { name: "Error", message: "m".repeat(0.6 * LONGEST) },
    values: { VALUE: ERROR },
  }),
  "an error whose name is too long with its stack": () => ({
    json: { name: "n".repeat(0.6 * LONGEST), message: "" },
    values: { VALUE: ERROR },
  }),
  "an error whose message is an object": () => ({
    json: { name: "Error", message: "", other: { toString: 5 } },
    values: { VALUE: ERROR },
    equalities: { "VALUE.other": ["VALUE.message"] },
  }),
  "an error whose stack is an object": () => ({
    json: { name: "Error", message: "", stack: "", other: { toString: 5 } },
    values: { VALUE: ERROR },
    equalities: { "VALUE.other": ["VALUE.stack"] },
  }),
  "an error with reserved members": () => ({
    json: { name: "Error", message: "", then: { ref: 90 }, toString: 5 },
    values: { VALUE: [...ERROR, { then: [["custom", "function"]] }] },
  }),
  "errors that cause each other, nested too deep": () =>
    chain(5_000, () => ({ name: "E", message: "", cause: 0 }), "cause", ERROR),
  "objects inside of each other, nested too deep": () =>
    chain(20_000, () => ({ next: 0 }), "next"),
  "an object that would be treated as a promise": () => ({
    json: { in: { then: { ref: 91 } } },
    values: { "VALUE.in.then": [["custom", "function"]] },
  }),
  "an object with a key that changes prototypes": () => ({
    json: { constructor: 1 },
  }),
};

/** The ways from one plugin to the other. */
interface Way {
  asks: "work" | "stream" | "signal";
  send(one: Peer, call: unknown, sent: SentValue): void;
}

const WAYS: Readonly<Record<string, Way>> = {
  "the answer to a call": {
    asks: "work",
    send: (one, call, sent) => one.send({ return: call }, "value", sent),
  },
  "the error of a call": {
    asks: "work",
    send: (one, call, sent) => one.send({ throw: call }, "error", sent),
  },
  "a chunk of a stream": {
    asks: "stream",
    send: (one, call, sent) => one.send({ return: call }, "value", sent),
  },
  "the error of a stream": {
    asks: "stream",
    send: (one, call, sent) => one.send({ throw: call }, "error", sent),
  },
  "the reason of an abort": {
    asks: "signal",
    send: (one, _, sent) => one.send({ abort: 1 }, "reason", sent),
  },
};

/** Sends a value one of the ways, and returns what the other plugin receives. */
async function relayed({ asks, send }: Way, sent: SentValue): Promise<unknown> {
  const one: Peer = new Peer({}, ({ call, method }) => {
    if (method === "work" || method === "read") return send(one, call, sent);
    const kind = method === "stream" ? "readable" : "signal";
    one.send({ return: call }, "value", {
      json: { ref: 1 },
      values: { VALUE: [["custom", kind]] },
    });
  });
  const other = new Peer({
    relay: () => one.connection.call(0, asks, []),
  }, () => {});
  other.send({ call: 1, method: "relay" });
  let told = await other.hears((json) => json.return === 1 || json.throw === 1);
  if (asks === "stream") {
    const { ref } = told.value as { ref: number };
    other.send({ call: 2, on: ref, method: "read" });
    told = await other.hears((json) => json.return === 2 || json.throw === 2);
  } else if (asks === "signal") {
    send(one, undefined, sent);
    told = await other.hears((json) => "abort" in json);
  }
  assertEquals(other.brokenBy, undefined);
  one.connection.close(new Error("the end"));
  other.connection.close(new Error("the end"));
  return told;
}

for (const [what, sent] of Object.entries(SENT_VALUES)) {
  for (const [how, way] of Object.entries(WAYS)) {
    testPosix(
      `${what}, as ${how}, is forwarded as something that can be sent`,
      async () => {
        const told = JSON.stringify(await relayed(way, sent()));
        assert(told.length < LONGEST, `${told.length} characters`);
      },
    );
  }
}

testPosix("a call that is not awaited may fail", async () => {
  const one: Peer = new Peer({}, ({ call }) => {
    one.send({ throw: call }, "error", { json: "no" });
  });
  void one.connection.call(0, "work", []);
  // Until an unhandled rejection would have ended this process.
  await new Promise((resolve) => setTimeout(resolve, 0));
  one.connection.close(new Error("the end"));
});

testPosix(
  "a function in place of a string fails the call that needs a string",
  async () => {
    const one: Peer = new Peer(
      { say: (text: unknown) => String(text) },
      ({ call }) => one.send({ throw: call }, "error", { json: "no" }),
    );
    one.send({ call: 1, method: "say" }, "args", {
      json: [{ toString: { ref: 9 } }],
      values: { "VALUE.0.toString": [["custom", "function"]] },
    });
    const { error } = await one.hears((json) => "throw" in json);
    assertEquals((error as { name: string }).name, "TypeError");
    await one.hears((json) => "call" in json);
    await new Promise((resolve) => setTimeout(resolve, 0));
    one.connection.close(new Error("the end"));
  },
);

testPosix(
  "a peer that makes calls and does not read the responses is disconnected",
  async () => {
    let broken: Error | undefined;
    const connection = new Connection({
      write: () => new Promise(() => {}),
    }, {
      peer: "/plugin",
      root: { work: () => "x".repeat(1_000) },
      limits: { ...DEFAULT_LIMITS, unread: 100_000 },
      onProtocolError: (error) => {
        broken = error;
      },
    });
    let calls = 0;
    for (; broken === undefined && calls < 1_000; calls++) {
      const line = JSON.stringify({
        json: { call: calls + 1, method: "work" },
      });
      connection.receive(new TextEncoder().encode(`${line}\n`));
      await null;
    }
    assertMatch(broken!.message, /more than 100000 bytes are unread/);
    assert(calls > 90, `${calls} calls`);
  },
);

Deno.test("an error of many lines is shown with all of them", () => {
  const error = new Error("x\n".repeat(300_000));
  assert(formatErrorChain(error).length > 300_000);
  assertEquals(formatErrorChain({ toString: 5 }).join(), "{ toString: 5 }");
});

testPosix(
  "an error of any length is thrown, and the connection stays open",
  async () => {
    await using plugin = await launch(program("abort_plugin.ts"));
    const author = await plugin.create<
      { throwHard(how: string): Promise<never>; heard(): Promise<unknown[]> }
    >("thing", "author");
    const error = await failure(author.throwHard("too long"));
    assertEquals(error.name, "RangeError");
    assertMatch(error.message, /^the true reason m+ \.\.\.$/);
    assertMatch(
      (error.cause as Error).message,
      /^a value of \d+ bytes as JSON cannot be sent/,
    );
    assertEquals(await author.heard(), []);
  },
);
