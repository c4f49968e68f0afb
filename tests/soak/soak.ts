// The soak: a million calls, a hundred thousand references, ten thousand streams and a thousand
// launches in one host, which in the end holds what it held in the beginning.
//
// Run with `deno task soak`; `--part=N` does one Nth of it. Exits with 1 when something has grown.

import { parseArgs } from "@std/cli/parse-args";
import { fromFileUrl } from "@std/path";
import { launch, type Plugin } from "../../host/mod.ts";

declare const gc: () => void;

interface Part {
  twice(): Promise<number>;
}

interface Work {
  echo<T>(value: T): Promise<T>;
  part(number: number): Promise<Part>;
  callBack(back: (value: number) => number): Promise<number>;
  swallow(stream: ReadableStream<Uint8Array>): Promise<number>;
  source(chunks: number): Promise<ReadableStream<Uint8Array>>;
  holds(): Promise<{ heap: number; rss: number; files: number }>;
}

/** What the host and its plugin hold at one time. */
interface Held {
  heap: number;
  rss: number;
  files: number;
  processes: number;
  temporary: number;
  references: number;
  pluginHeap: number;
  pluginRss: number;
  pluginFiles: number;
}

/** By how much each may be more in the end than in the beginning. */
const SLACK: Readonly<Record<keyof Held, number>> = {
  heap: 8e6,
  rss: 96e6,
  files: 0,
  processes: 0,
  temporary: 0,
  references: 0,
  pluginHeap: 8e6,
  pluginRss: 96e6,
  pluginFiles: 0,
};

/** How many things of a kind are in flight at a time. */
const WIDTH = 64;

const flags = parseArgs(Deno.args, { string: ["part"] });
const part = Number(flags.part ?? 1);

const temporary = await Deno.makeTempDir({ prefix: "baler-soak-" });
Deno.env.set("TMPDIR", temporary);

const argv = [
  Deno.execPath(),
  "run",
  "--quiet",
  "--allow-all",
  "--v8-flags=--expose-gc",
  fromFileUrl(import.meta.resolve("./plugin.ts")),
];

/** Does something `count` times, a few at a time. */
async function many(
  count: number,
  width: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: width }, async () => {
    while (next < count) await work(next++);
  }));
}

function expect(actual: unknown, wanted: unknown): void {
  if (actual !== wanted) throw new Error(`${actual} instead of ${wanted}`);
}

async function calls(work: Work, count: number): Promise<void> {
  await many(count, WIDTH, async (index) => {
    expect(await work.echo(index), index);
  });
}

/** Half of them theirs, half of them ours; none is disposed of. */
async function references(work: Work, count: number): Promise<void> {
  await many(count / 2, WIDTH, async (index) => {
    const part = await work.part(index);
    if (index % 10 === 0) expect(await part.twice(), index * 2);
    expect(await work.callBack((value) => value + index), index + 1);
  });
}

/** Half of them read, half of them written. */
async function streams(work: Work, count: number): Promise<void> {
  await many(count / 2, 16, async () => {
    const three = Array.from({ length: 3 }, () => new Uint8Array(1_000));
    expect(await work.swallow(ReadableStream.from(three)), 3_000);
    let length = 0;
    for await (const chunk of await work.source(3)) length += chunk.length;
    expect(length, 3_000);
  });
}

async function launches(count: number): Promise<void> {
  await many(count, 2, async (index) => {
    await using plugin = await launch(argv);
    const work = await plugin.create<Work>("work", "one");
    expect(await work.echo(index), index);
  });
}

async function held(plugin: Plugin, work: Work): Promise<Held> {
  let there = await work.holds();
  // A reference is released when its holder's garbage collector finds it, which then notifies the owner.
  for (let turn = 0; turn < 10; turn++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
    there = await work.holds();
  }
  const { heapUsed, rss } = Deno.memoryUsage();
  const { exported, imported } = plugin.references;
  return {
    heap: heapUsed,
    rss,
    files: [...Deno.readDirSync("/proc/self/fd")].length,
    processes: processes(),
    temporary: [...Deno.readDirSync(temporary)].length,
    references: exported + imported,
    pluginHeap: there.heap,
    pluginRss: there.rss,
    pluginFiles: there.files,
  };
}

/** Returns the number of child processes of this one, zombies included. */
function processes(): number {
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(parent) === Deno.pid) count++;
    } catch {
      // It has exited meanwhile.
    }
  }
  return count;
}

const counts = {
  calls: 1_000_000 / part,
  references: 100_000 / part,
  streams: 10_000 / part,
  launches: Math.ceil(1_000 / part),
};

const plugin = await launch(argv);
const work = await plugin.create<Work>("work", "soak");

/** Runs each part, and prints how long it took. */
async function all(share: number, say: (line: string) => void): Promise<void> {
  const parts: [keyof typeof counts, (count: number) => Promise<void>][] = [
    ["calls", (count) => calls(work, count)],
    ["references", (count) => references(work, count)],
    ["streams", (count) => streams(work, count)],
    ["launches", launches],
  ];
  for (const [name, run] of parts) {
    const count = Math.ceil(counts[name] * share);
    const begin = performance.now();
    await run(count);
    const seconds = (performance.now() - begin) / 1000;
    say(`${count} ${name} in ${seconds.toFixed(1)} s`);
  }
}

// The runtime compiles and caches code once, which is not growth.
await all(0.02, () => {});
const before = await held(plugin, work);
await all(1, console.log);
const after = await held(plugin, work);

let hasGrown = false;
for (const key of Object.keys(SLACK) as (keyof Held)[]) {
  const grown = after[key] > before[key] + SLACK[key];
  hasGrown ||= grown;
  const shown = (value: number) =>
    SLACK[key] > 0 ? `${(value / 1e6).toFixed(1)} MB` : `${value}`;
  console.log(
    `${key.padEnd(12)} ${shown(before[key]).padStart(9)} -> ${
      shown(after[key]).padStart(9)
    }${grown ? "  GROWN" : ""}`,
  );
}
await plugin.close();
await Deno.remove(temporary, { recursive: true });
Deno.exit(hasGrown ? 1 : 0);
