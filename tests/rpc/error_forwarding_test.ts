// What one plugin says that keeps to no rule, another is told in words that it understands: the host between them lives, and nobody waits for ever.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Connection } from "../../plugin/rpc/connection.ts";
import { DEFAULT_LIMITS } from "../../plugin/rpc/protocol.ts";
import { formatErrorChain } from "../../host/errors/error_message.ts";
import { launch } from "../../host/mod.ts";
import { program, testPosix } from "../support/plugin_process.ts";
import { failure } from "../support/failure.ts";

/** A value as it stands on the wire, at the place `VALUE`. */
interface Said {
  json: unknown;
  values?: Record<string, unknown>;
  equalities?: Record<string, string[]>;
}

/** The other end of a connection, which says what it likes. */
class Peer {
  readonly connection: Connection;
  /** What it has been told, as JSON. */
  readonly #told: Record<string, unknown>[] = [];
  /** What ended the connection for what it said. */
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
          this.#told.push(json);
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

  /** Resolves to what it is told that is so. */
  async hears(
    isMeant: (json: Record<string, unknown>) => boolean,
  ): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.#told.find(isMeant);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  say(message: Record<string, unknown>, place = "", said?: Said): void {
    const at = (path: string) => path.replace("VALUE", place);
    const json = said === undefined ? message : {
      ...message,
      [place]: said.json,
    };
    const values = Object.entries(said?.values ?? {})
      .map(([path, value]) => [at(path), value]);
    const equalities = Object.entries(said?.equalities ?? {})
      .map(([path, others]) => [at(path), others.map(at)]);
    const meta = {
      values: Object.fromEntries(values),
      referentialEqualities: Object.fromEntries(equalities),
    };
    const line = JSON.stringify(said === undefined ? { json } : { json, meta });
    this.connection.receive(new TextEncoder().encode(`${line}\n`));
  }
}

const ERROR = [["custom", "error"]];

/** The longest line, in characters of a byte. */
const LONGEST = 64 * 1024 * 1024;

/** A list of so many things, each held by the one before it. */
function chain(
  length: number,
  one: () => object,
  key: string,
  annotation?: unknown,
): Said {
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

/** What fits on the wire, or says that it does, and cannot be sent on as it is. */
const SAID: Readonly<Record<string, () => Said>> = {
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
  "an error with members that mean something to the language": () => ({
    json: { name: "Error", message: "", then: { ref: 90 }, toString: 5 },
    values: { VALUE: [...ERROR, { then: [["custom", "function"]] }] },
  }),
  "errors that cause each other, too deep to go into": () =>
    chain(5_000, () => ({ name: "E", message: "", cause: 0 }), "cause", ERROR),
  "objects that hold each other, too deep to go into": () =>
    chain(20_000, () => ({ next: 0 }), "next"),
  "an object that would be taken for a promise": () => ({
    json: { in: { then: { ref: 91 } } },
    values: { "VALUE.in.then": [["custom", "function"]] },
  }),
  "an object with a key that changes prototypes": () => ({
    json: { constructor: 1 },
  }),
};

/** How what one says reaches the other: what that asks for, and what is said then. */
interface Way {
  asks: "work" | "stream" | "signal";
  says(one: Peer, call: unknown, said: Said): void;
}

const WAYS: Readonly<Record<string, Way>> = {
  "the answer to a call": {
    asks: "work",
    says: (one, call, said) => one.say({ return: call }, "value", said),
  },
  "the error of a call": {
    asks: "work",
    says: (one, call, said) => one.say({ throw: call }, "error", said),
  },
  "a chunk of a stream": {
    asks: "stream",
    says: (one, call, said) => one.say({ return: call }, "value", said),
  },
  "the error of a stream": {
    asks: "stream",
    says: (one, call, said) => one.say({ throw: call }, "error", said),
  },
  "the reason of an abort": {
    asks: "signal",
    says: (one, _, said) => one.say({ abort: 1 }, "reason", said),
  },
};

/** Has a plugin say something by the way, and returns what the other is told then. */
async function relayed({ asks, says }: Way, said: Said): Promise<unknown> {
  const one: Peer = new Peer({}, ({ call, method }) => {
    if (method === "work" || method === "read") return says(one, call, said);
    const kind = method === "stream" ? "readable" : "signal";
    one.say({ return: call }, "value", {
      json: { ref: 1 },
      values: { VALUE: [["custom", kind]] },
    });
  });
  const other = new Peer({
    relay: () => one.connection.call(0, asks, []),
  }, () => {});
  other.say({ call: 1, method: "relay" });
  let told = await other.hears((json) => json.return === 1 || json.throw === 1);
  if (asks === "stream") {
    const { ref } = told.value as { ref: number };
    other.say({ call: 2, on: ref, method: "read" });
    told = await other.hears((json) => json.return === 2 || json.throw === 2);
  } else if (asks === "signal") {
    says(one, undefined, said);
    told = await other.hears((json) => "abort" in json);
  }
  assertEquals(other.brokenBy, undefined);
  one.connection.close(new Error("the end"));
  other.connection.close(new Error("the end"));
  return told;
}

for (const [what, said] of Object.entries(SAID)) {
  for (const [how, way] of Object.entries(WAYS)) {
    testPosix(`${what}, as ${how}, is told in what can be sent`, async () => {
      const told = JSON.stringify(await relayed(way, said()));
      assert(told.length < LONGEST, `${told.length} characters`);
    });
  }
}

testPosix("a call that nobody waits for may fail", async () => {
  const one: Peer = new Peer({}, ({ call }) => {
    one.say({ throw: call }, "error", { json: "no" });
  });
  void one.connection.call(0, "work", []);
  // Until a failure that is not heard of would have ended this process.
  await new Promise((resolve) => setTimeout(resolve, 0));
  one.connection.close(new Error("the end"));
});

testPosix(
  "a function in the place of a text fails the call that takes it for one",
  async () => {
    const one: Peer = new Peer(
      { say: (text: unknown) => String(text) },
      ({ call }) => one.say({ throw: call }, "error", { json: "no" }),
    );
    one.say({ call: 1, method: "say" }, "args", {
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
  "who calls and does not read the answers is not served for ever",
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

Deno.test("an error of any number of lines is told in all of them", () => {
  const error = new Error("x\n".repeat(300_000));
  assert(formatErrorChain(error).length > 300_000);
  assertEquals(formatErrorChain({ toString: 5 }).join(), "{ toString: 5 }");
});

testPosix(
  "an error of any length is thrown, and what says so much lives on",
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
      /^what takes \d+ bytes as JSON cannot be sent/,
    );
    assertEquals(await author.heard(), []);
  },
);
