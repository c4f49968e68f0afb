// Valid sessions to mutate: the messages of two real ends that use every feature of the
// protocol, recorded at each run so that they match the current protocol.

import { Connection } from "../../plugin/rpc/connection.ts";

/** The messages of each end, each with the bytes after its line. */
export interface Session {
  /** What a plugin receives. */
  readonly ofHost: readonly Uint8Array[];
  /** What a host receives. */
  readonly ofPlugin: readonly Uint8Array[];
}

class Machine {
  name = "machine";
  size = 12;
  seen = new Map<unknown, unknown>([["when", new Date(0)]]);

  get state(): string {
    return "up";
  }

  start(): Machine {
    return this;
  }

  async take(stream: ReadableStream<Uint8Array>): Promise<number> {
    let length = 0;
    for await (const chunk of stream) length += chunk.length;
    return length;
  }

  async give(stream: WritableStream<unknown>): Promise<void> {
    const writer = stream.getWriter();
    for (let index = 0; index < 4; index++) {
      await writer.write(new Uint8Array([index, 10, 123, 10]));
    }
    await writer.close();
  }

  call(back: (value: unknown) => unknown): unknown {
    return back({ nested: [new Set([1, 2])] });
  }

  wait(signal: AbortSignal): Promise<never> {
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason))
    );
  }

  fail(): never {
    throw Object.assign(
      new RangeError("too far", { cause: new Error("inside") }),
      { code: "E_FAR", at: { line: 3 } },
    );
  }

  [Symbol.dispose](): void {}

  toString(): string {
    return "a machine";
  }
}

/** Every kind of value that a message can contain. */
export function everything(): Record<string, unknown> {
  const shared = { shared: true };
  const round: Record<string, unknown> = { name: "round" };
  round.self = round;
  return {
    text: "a \u{1F4E6} text",
    "a.key\\with": new Date(0),
    number: [NaN, Infinity, -0, 1.5],
    big: 2n ** 70n,
    nothing: [undefined, null],
    set: new Set([1, "two", new Date(1)]),
    map: new Map<unknown, unknown>([[{ a: 1 }, new Map([["b", 2n]])]]),
    url: new URL("https://example.com/x"),
    expression: /a+b/gi,
    bytes: new Uint8Array([0, 10, 13, 123, 34]),
    floats: new Float64Array([1.5, 2.5]),
    error: new AggregateError([new TypeError("one")], "all"),
    shared: [shared, shared],
    round,
    plain: { list: [1, [2, [3]]], method: () => 1 },
  };
}

/** Records a session without stack traces, so that the bytes are the same each time. */
export async function record(): Promise<Session> {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return await recorded();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

async function recorded(): Promise<Session> {
  const ofHost: Uint8Array[] = [];
  const ofPlugin: Uint8Array[] = [];
  const machine = new Machine();
  const plugin: Connection = new Connection({
    write(bytes) {
      const sent = bytes.slice();
      ofPlugin.push(sent);
      queueMicrotask(() => host.receive(sent));
    },
  }, {
    peer: "the host",
    onFreshLines: true,
    root: { create: () => machine, echo: (value: unknown) => value },
  });
  const host: Connection = new Connection({
    write(bytes) {
      const sent = bytes.slice();
      ofHost.push(sent);
      queueMicrotask(() => plugin.receive(sent));
    },
  }, { peer: "/plugin" });

  const remote = await host.call(0, "create", ["builder", "x"]) as Machine;
  await host.call(0, "echo", [everything()]);
  await plugin.call(0, "nothing", [everything()]).catch(() => {});
  await remote.call((value) => value);
  await remote.start();
  await remote.take(
    ReadableStream.from([new Uint8Array(3), new Uint8Array(9)]),
  );
  await remote.give(new WritableStream());
  const controller = new AbortController();
  const waiting = remote.wait(controller.signal).catch(() => {});
  controller.abort(new Error("enough"));
  await waiting;
  await Promise.resolve(remote.fail()).catch(() => {});
  await host.call(0, "echo", [remote]);
  remote[Symbol.dispose]();
  await host.call(0, "echo", [AbortSignal.abort("gone")]);
  const done = new Error("the session is over");
  host.close(done);
  plugin.close(done);
  return { ofHost: messagesOf(ofHost), ofPlugin: messagesOf(ofPlugin) };
}

/** What was written, cut where messages begin. */
function messagesOf(writes: readonly Uint8Array[]): Uint8Array[] {
  const messages: Uint8Array[] = [];
  let rest = concat(writes);
  while (rest.length > 0) {
    const end = rest.indexOf(10) + 1;
    const line = new TextDecoder().decode(rest.subarray(0, end)).trim();
    let length = end;
    if (line !== "") {
      for (const part of JSON.parse(line).json.bytes ?? []) length += part;
      messages.push(rest.slice(0, length));
    }
    rest = rest.subarray(length);
  }
  return messages;
}

/** All of the pieces in one. */
export function concat(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(
    pieces.reduce((length, piece) => length + piece.length, 0),
  );
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
