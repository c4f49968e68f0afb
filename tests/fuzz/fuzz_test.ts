// Whatever comes over the wire: nothing is thrown, nothing hangs, memory stays bounded, no prototype
// is polluted, nothing is called that was not exported, and the connection is alive or closed with
// one error that names the other side.
//
// BALER_FUZZ_CASES and BALER_FUZZ_FIRST run more cases, or others: a case is its number.

import { assert, assertEquals } from "@std/assert";
import { Connection } from "../../plugin/rpc/connection.ts";
import { caseOf, type Find, run } from "./fuzz.ts";
import { Random } from "../support/random.ts";
import { record } from "./sessions.ts";
import type { End } from "./subject.ts";
import type { Task } from "./worker.ts";
import { workingTime } from "../support/working_time.ts";

const CASES = Number(Deno.env.get("BALER_FUZZ_CASES") ?? 100_000);
const FIRST = Number(Deno.env.get("BALER_FUZZ_FIRST") ?? 0);
const WORKERS = 2;

/** How long a worker may be with one case before it is taken for hung, in milliseconds. */
const PATIENCE = 20_000;

/** A find of earlier days: `seeds/NAME.json`. */
interface Seed {
  /** What was wrong with it. */
  readonly was: string;
  readonly end: End;
  /** A character for each byte. */
  readonly input: string;
}

const seeds = new URL("./seeds/", import.meta.url);

for (const { name } of Deno.readDirSync(seeds)) {
  const seed: Seed = JSON.parse(Deno.readTextFileSync(new URL(name, seeds)));
  Deno.test(`an earlier find of the fuzzer: ${seed.was}`, async () => {
    const input = Uint8Array.from(seed.input, (char) => char.charCodeAt(0));
    // However it is cut into pieces.
    for (let number = 0; number < 20; number++) {
      assertEquals(
        await run(seed.end, input, new Random(number)),
        undefined,
      );
    }
  });
}

/** Messages that are small, and would be expensive if they were believed. */
const EXPENSIVE: Readonly<Record<string, () => [text: string, piece: number]>> =
  {
    "a list of a million lengths": () => [
      `{"json":{"return":1,"bytes":[${"0,".repeat(1_000_000)}0]}}\n`,
      65_536,
    ],
    "a number of four million digits": () => [
      `{"json":{"return":1,"value":"${
        "9".repeat(4_000_000)
      }"},"meta":{"values":{"value":["bigint"]},"v":1}}\n`,
      65_536,
    ],
    "a line of a megabyte that comes byte by byte": () => [
      " ".repeat(1_000_000) + '{"json":{"return":1}}\n',
      1,
    ],
  };

for (const [what, make] of Object.entries(EXPENSIVE)) {
  Deno.test(`${what} costs neither time nor memory`, () => {
    const [text, piece] = make();
    const input = new TextEncoder().encode(text);
    const connection = new Connection({ write() {} }, { peer: "/plugin" });
    connection.call(0, "work", []).catch(() => {});
    const memory = Deno.memoryUsage().rss;
    const begin = workingTime();
    for (let at = 0; at < input.length; at += piece) {
      connection.receive(input.subarray(at, at + piece));
    }
    const took = workingTime() - begin;
    const more = Deno.memoryUsage().rss - memory;
    assert(took < 1_500, `${took} ms`);
    assert(more < 150e6, `${more / 1e6} MB`);
    connection.close(new Error("the end"));
  });
}

Deno.test({
  name: `${CASES} mutated sessions do no harm`,
  async fn() {
    const share = Math.ceil(CASES / WORKERS);
    const finds = await Promise.all(
      Array.from(
        { length: WORKERS },
        (_, index) => fuzzInWorker(FIRST + index * share, share),
      ),
    );
    const shown = finds.flat().slice(0, 20).map(({ seed, end, input, what }) =>
      `${seed}: ${what}\n${
        JSON.stringify({ was: what, end, input: textOf(input) })
      }`
    );
    assertEquals(shown, [], `${finds.flat().length} finds`);
  },
});

function textOf(input: Uint8Array): string {
  return Array.from(input, (byte) => String.fromCharCode(byte)).join("");
}

async function fuzzInWorker(first: number, count: number): Promise<Find[]> {
  const current = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(import.meta.resolve("./worker.ts"), {
    type: "module",
  });
  const { promise, resolve, reject } = Promise.withResolvers<Find[]>();
  worker.onmessage = ({ data: { finds, error } }) =>
    finds === undefined ? reject(error) : resolve(finds);
  worker.onerror = (event) => reject(new Error(event.message));
  let last = -1;
  const watch = setInterval(() => {
    const seed = Atomics.load(current, 0);
    if (seed === last) reject(new Error(`case ${seed} hangs`));
    last = seed;
  }, PATIENCE);
  worker.postMessage({ first, count, current } satisfies Task);
  try {
    return await promise;
  } catch (error) {
    const { end, input } = caseOf(await record(), Atomics.load(current, 0));
    throw new Error(`${error}: ${end} got ${JSON.stringify(textOf(input))}`, {
      cause: error,
    });
  } finally {
    clearInterval(watch);
    worker.terminate();
  }
}
