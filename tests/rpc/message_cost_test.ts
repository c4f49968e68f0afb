// The cost of a message: a small message that would take much time or memory is
// refused, by its sender with an error and by its receiver by closing the
// connection. Large messages of ordinary values are accepted.

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { Connection } from "../../plugin/rpc/connection.ts";
import { DEFAULT_LIMITS, type Limits } from "../../plugin/rpc/protocol.ts";
import { workingTime } from "../support/working_time.ts";

/** How much CPU time refusing a message may take, in milliseconds. */
const MAX_CPU_MS = 3_000;

/** How much memory it may take, in bytes. */
const MAX_MEMORY_BYTES = 400 * 1024 * 1024;

/** A connection whose peer is the test. */
class RawPeer {
  readonly received: unknown[][] = [];
  readonly sent: string[] = [];
  error: Error | undefined;
  readonly connection: Connection;

  constructor(limits: Partial<Limits> = {}, root: object = {}) {
    this.connection = new Connection({
      write: (bytes) => void this.sent.push(new TextDecoder().decode(bytes)),
    }, {
      peer: "/plugin",
      limits: { ...DEFAULT_LIMITS, ...limits },
      root: {
        take: (...args: unknown[]) => void this.received.push(args),
        keep: () => new Promise(() => {}),
        ...root,
      },
      onProtocolError: (error) => {
        this.error = error;
      },
    });
  }

  /** Sends a line, and bytes behind it. */
  say(line: string, ...bytes: Uint8Array[]): void {
    this.connection.receive(new TextEncoder().encode(`${line}\n`));
    for (const part of bytes) this.connection.receive(part);
  }

  /** Calls `take` with one argument, in superjson's format. */
  take(json: string, values?: unknown, ...bytes: Uint8Array[]): void {
    const lengths = bytes.length > 0
      ? `,"bytes":[${bytes.map(({ length }) => length)}]`
      : "";
    const meta = values === undefined
      ? ""
      : `,"meta":{"values":${JSON.stringify(values)},"v":1}`;
    this.say(
      `{"json":{"call":1,"method":"take","args":[${json}]${lengths}}${meta}}`,
      ...bytes,
    );
  }
}

/** The memory of this test file alone: others run in the same process. */
function memoryOfHere(): number {
  const { heapTotal, external } = Deno.memoryUsage();
  return heapTotal + external;
}

/** Checks that a message closes the connection within little time and memory. */
function refuses(
  name: string,
  pattern: RegExp,
  say: (peer: RawPeer) => void,
): void {
  Deno.test(`a message is refused: ${name}`, () => {
    const peer = new RawPeer();
    const memory = memoryOfHere();
    const begin = workingTime();
    say(peer);
    const spent = workingTime() - begin;
    assert(peer.error !== undefined, "it was taken");
    assertMatch(peer.error.message, pattern);
    assertEquals(peer.received, []);
    assert(spent < MAX_CPU_MS, `${spent} ms of CPU time`);
    const grown = memoryOfHere() - memory;
    assert(grown < MAX_MEMORY_BYTES, `${grown} bytes`);
  });
}

const lists = (text: string, count: number) =>
  `[${Array(count).fill(text).join(",")}]`;

refuses(
  "millions of small values",
  /more than 1000000 values/,
  (peer) => peer.take(lists("[]", 22_000_000)),
);
refuses(
  "millions of numbers in many lists",
  /more than 1000000 values/,
  (peer) => peer.take(lists(lists("1", 1000), 30_000)),
);
refuses(
  "a property pattern of 52 KB",
  /patterns that are too large/,
  (peer) =>
    peer.take(
      JSON.stringify(`/[${"\\p{RGI_Emoji}".repeat(3500)}]/v`),
      { "args.0": ["regexp"] },
    ),
);
refuses(
  "many small patterns",
  /patterns that are too large/,
  (peer) => {
    const patterns = Array.from(
      { length: 1000 },
      (_, index) => `/[\\p{L}\\p{N}]{${index}}/iu`,
    );
    peer.take(
      JSON.stringify(patterns),
      Object.fromEntries(
        patterns.map((_, index) => [`args.0.${index}`, ["regexp"]]),
      ),
    );
  },
);
refuses(
  "a bigint of a million digits",
  /bigints of more than 100000 digits/,
  (peer) => peer.take(`"${"7".repeat(1_000_000)}"`, { "args.0": ["bigint"] }),
);
refuses("bigints of many digits in total", /bigints of more than/, (peer) => {
  const values: Record<string, unknown> = {};
  for (let index = 0; index < 100; index++) {
    values[`args.0.${index}`] = ["bigint"];
  }
  peer.take(lists(`"${"7".repeat(2000)}"`, 100), values);
});
refuses("a million errors", /more than 10000 errors/, (peer) => {
  const values: Record<string, unknown> = {};
  for (let index = 0; index < 20_000; index++) {
    values[`args.0.${index}`] = [["custom", "error"]];
  }
  peer.take(lists('{"name":"E","message":""}', 20_000), values);
});
refuses("a million signals", /more than 10000 references/, (peer) => {
  const values: Record<string, unknown> = {};
  const signals = Array.from({ length: 20_000 }, (_, index) => {
    values[`args.0.${index}`] = [["custom", "signal"]];
    return `{"ref":${index + 1}}`;
  });
  peer.take(`[${signals.join(",")}]`, values);
});
refuses(
  "many values that JSON cannot represent",
  /more than 150000 values that JSON/,
  (peer) => {
    const values: Record<string, unknown> = {};
    for (let index = 0; index < 160_000; index++) {
      values[`args.0.${index}`] = ["undefined"];
    }
    peer.take(lists("0", 160_000), values);
  },
);

const MASK = (1n << 64n) - 1n;

/** The inverse of an odd number, modulo 2^64. */
function inverse(number: bigint): bigint {
  let x = 1n;
  for (let step = 0; step < 6; step++) x = (x * (2n - number * x)) & MASK;
  return x;
}

/** Returns the number that V8 hashes to a value, before the hash is cut to 30 bits. */
function unhash(hash: bigint): bigint {
  const unshift = (value: bigint, by: bigint) => {
    let result = value;
    for (let shift = by; shift < 64n; shift += by) result ^= value >> shift;
    return result & MASK;
  };
  let value = unshift(hash, 22n);
  value = (value * inverse(65n)) & MASK;
  value = unshift(value, 11n);
  value = (value * inverse(21n)) & MASK;
  value = unshift(value, 31n);
  return ((value + 1n) * inverse((1n << 18n) - 1n)) & MASK;
}

/** Returns numbers that V8 puts into the same bucket of a set. */
function collidingNumbers(count: number): number[] {
  const view = new DataView(new ArrayBuffer(8));
  const numbers: number[] = [];
  for (let high = 1n; numbers.length < count; high++) {
    view.setBigUint64(0, unhash(high << 30n));
    const number = view.getFloat64(0);
    if (Number.isFinite(number) && !Number.isInteger(number)) {
      numbers.push(number);
    }
  }
  return numbers;
}

for (
  const [kind, values] of [
    ["set", (numbers: number[]) => JSON.stringify(numbers)],
    [
      "map",
      (numbers: number[]) => JSON.stringify(numbers.map((one) => [one, 0])),
    ],
  ] as const
) {
  refuses(`a ${kind} of numbers that collide`, /keys collide/, (peer) => {
    peer.take(values(collidingNumbers(60_000)), { "args.0": [kind] });
  });
}

Deno.test("a set is refused if a fifth of its numbers collide", () => {
  const peer = new RawPeer();
  const colliding = collidingNumbers(40_000);
  const numbers = Array.from(
    { length: 200_000 },
    (_, index) => index % 5 === 0 ? colliding[index / 5]! : Math.random(),
  );
  peer.take(JSON.stringify(numbers), { "args.0": ["set"] });
  assertMatch(peer.error!.message, /keys collide/);
});

Deno.test("sets and maps of many numbers and strings are accepted", () => {
  const peer = new RawPeer();
  const numbers = Array.from({ length: 200_000 }, () => Math.random());
  peer.take(JSON.stringify(numbers), { "args.0": ["set"] });
  peer.take(
    JSON.stringify(numbers.map((one) => [`${one}`, one])),
    { "args.0": ["map"] },
  );
  assertEquals(peer.error, undefined);
  assertEquals(
    peer.received.map(([value]) => (value as Set<unknown>).size),
    [200_000, 200_000],
  );
});

Deno.test("large messages of ordinary values are accepted", () => {
  const peer = new RawPeer();
  peer.take(JSON.stringify("x".repeat(16 * 1024 * 1024)));
  peer.take(JSON.stringify('[",{'.repeat(2 * 1024 * 1024)));
  peer.take(lists("1", 900_000));
  peer.take(lists("{}", 100_000));
  peer.take('"/a+b/u"', { "args.0": ["regexp"] });
  peer.take(`"${"7".repeat(10_000)}"`, { "args.0": ["bigint"] });
  assertEquals(peer.error, undefined);
  assertEquals(peer.received.length, 6);
});

Deno.test("bytes that occur several times become one buffer, copied once", () => {
  const peer = new RawPeer();
  const memory = memoryOfHere();
  const values: Record<string, unknown> = {};
  for (let index = 0; index < 2000; index++) {
    values[`args.0.${index}`] = [["custom", "buffer"]];
  }
  peer.take(
    `[${
      Array.from(
        { length: 2000 },
        (_, index) =>
          `{"type":"${index % 2 ? "ArrayBuffer" : "Uint16Array"}","bytes":0}`,
      )
    }]`,
    values,
    new Uint8Array(1024 * 1024).fill(7),
  );
  const [[buffers]] = peer.received as [[[Uint16Array, ArrayBuffer]]];
  assertStrictEquals(buffers[0].buffer, buffers[1]);
  assertStrictEquals(buffers[0], buffers[2 as 0]);
  assertEquals(buffers[0][0], 0x0707);
  const grown = memoryOfHere() - memory;
  assert(grown < 200 * 1024 * 1024, `${grown} bytes`);
});

Deno.test("a returned value that is thenable closes the connection, and does no other harm", async () => {
  const unhandled: unknown[] = [];
  const listener = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    unhandled.push(event.reason);
  };
  globalThis.addEventListener("unhandledrejection", listener);
  try {
    const peer = new RawPeer();
    // Not awaited, like a toString() that is called for a string.
    void peer.connection.call(0, "name", []);
    peer.say(
      '{"json":{"return":1,"value":{"ref":1,"class":"Object","methods":["x"],"fields":{"json":{"then":1}}}},' +
        '"meta":{"values":{"value":[["custom","object"]]},"v":1}}',
    );
    const other = new RawPeer();
    void other.connection.call(0, "name", []);
    other.say(
      '{"json":{"return":1,"value":{"then":{"ref":1}}},' +
        '"meta":{"values":{"value.then":[["custom","function"]]},"v":1}}',
    );
    assertMatch(other.error!.message, /the value has a method `then`/);
    await new Promise((resolve) => setTimeout(resolve, 0));
    assertEquals(unhandled, []);
  } finally {
    globalThis.removeEventListener("unhandledrejection", listener);
  }
});

Deno.test("a sender gets an error for what cannot be sent, and goes on", async () => {
  const peer = new RawPeer();
  for (
    const [value, pattern] of [
      [Array(1_100_000).fill(0), /more than 1000000 values/],
      [10n ** 200_000n, /bigints of more than 100000 digits/],
      [[1n, 10n ** 200_000n, 1n], /bigints of more than/],
      [new RegExp("x".repeat(20_000)), /patterns that are too large/],
      [
        Array.from({ length: 20_000 }, () => new Error("x")),
        /more than 10000 errors/,
      ],
      [
        Array.from({ length: 20_000 }, () => () => {}),
        /more than 10000 references/,
      ],
    ] as [unknown, RegExp][]
  ) {
    const error = await assertRejects(
      () => peer.connection.call(0, "method", [value]),
      RangeError,
    );
    assertMatch(error.message, pattern);
  }
  void peer.connection.call(0, "method", [1]);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertMatch(peer.sent.join(""), /"method":"method","args":\[1\]/);
});

Deno.test("calls that fail are cheap", () => {
  const spent = () => {
    const peer = new RawPeer();
    let lines = "";
    for (let call = 1; call <= 20_000; call++) {
      lines += `{"json":{"call":${call},"on":77,"method":"no"}}\n`;
    }
    const begin = workingTime();
    peer.connection.receive(new TextEncoder().encode(lines));
    const took = workingTime() - begin;
    assertEquals(peer.error, undefined);
    return took;
  };
  // With a stack each they take 80 us and more. Other work on the machine can
  // slow down one round, and not the next.
  const rounds = Array.from({ length: 5 }, spent);
  assert(Math.min(...rounds) < 1_300, `${rounds} ms of CPU time`);
});

Deno.test("the memory of calls in flight has a limit", () => {
  const peer = new RawPeer({ inFlight: 1024 * 1024 });
  const call = (number: number) =>
    peer.say(
      `{"json":{"call":${number},"method":"keep","args":["${
        "x".repeat(100_000)
      }"]}}`,
    );
  for (let number = 1; number <= 4; number++) call(number);
  assertEquals(peer.error, undefined);
  for (let number = 5; number <= 10; number++) call(number);
  assertMatch(
    peer.error!.message,
    /calls in flight take more than 1048576 bytes/,
  );
  const answered = new RawPeer({ inFlight: 1024 * 1024 });
  for (let number = 1; number <= 100; number++) {
    answered.take(JSON.stringify("x".repeat(100_000)));
  }
  assertEquals(answered.error, undefined);
});

Deno.test("the exported references have a limit", async () => {
  const peer = new RawPeer({ references: 10 }, { make: () => ({ f() {} }) });
  for (let call = 1; call <= 12; call++) {
    peer.say(`{"json":{"call":${call},"method":"make"}}`);
  }
  await new Promise((resolve) => setTimeout(resolve, 0));
  const sent = peer.sent.join("");
  assertEquals(sent.match(/"return":/g)?.length, 10);
  assertMatch(sent, /"throw":11.*holds 10 references, which is the limit/);
  assertEquals(peer.error, undefined);
});
