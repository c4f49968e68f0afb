// The rows about calls, streams and launches: programs that stand ready and
// work in turns.

import { inTurns } from "./builds.ts";
import { Driver } from "./driver.ts";
import { costOfPipeline, highWaterOf } from "./processes.ts";
import type { Programs } from "./programs.ts";
import { atLeast, atMost, type Row, type Target } from "./row.ts";
import type { Sizes } from "./sizes.ts";

/** All drivers, by name. */
type Drivers = ReadonlyMap<string, Driver>;

/** Measures all of them. */
export async function callRows(
  programs: Programs,
  sizes: Sizes,
  directory: string,
): Promise<Row[]> {
  const { host, pipe, peers, isFromSource } = programs;
  await using stack = new AsyncDisposableStack();
  const drivers = new Map<string, Driver>();
  const start = (name: string, argv: readonly string[]) => {
    drivers.set(name, stack.use(new Driver(argv)));
  };
  start("baler", host);
  start("bare pipe", pipe);
  if (peers.go) start("Go net/rpc", [peers.go]);
  if (peers.npm) {
    start("kkrpc", [...peers.npm, "kkrpc"]);
    start("vscode-jsonrpc", [...peers.npm, "vscode-jsonrpc"]);
  }
  const rows = await echoRows(drivers, sizes);
  // One that has done nothing else yet: its memory is that of the stream.
  await using fresh = new Driver(host);
  rows.push(...await streamRows(fresh, sizes, directory));
  // What is compiled starts faster: the two are not to be compared.
  if (!isFromSource) rows.push(...await launchRows(fresh, sizes));
  return rows;
}

async function echoRows(drivers: Drivers, sizes: Sizes): Promise<Row[]> {
  const rounds = async (
    work: string,
    count: number,
    names: readonly string[],
    measure: (milliseconds: number) => number,
  ) => {
    const measured = new Map<string, number[]>();
    // The first round, in which everything is compiled, is not counted.
    for (let round = 0; round <= sizes.calls; round++) {
      for (const name of ["baler", ...names]) {
        const driver = drivers.get(name);
        if (driver === undefined) continue;
        const result = measure(await driver.time(work, count));
        if (round === 0) measured.set(name, []);
        else measured.get(name)!.push(result);
      }
    }
    return measured;
  };
  const rowsOf = (
    measured: Map<string, number[]>,
    work: string,
    measure: string,
    targets: readonly [string, Target][],
  ): Row[] =>
    targets.map(([peer, target]) => ({
      work,
      measure,
      peer,
      target,
      baler: measured.get("baler")!,
      others: measured.get(peer) ?? [],
    }));

  const perCall = (count: number) => (milliseconds: number) =>
    milliseconds * 1000 / count;
  const perSecond = (count: number) => (milliseconds: number) =>
    count / (milliseconds / 1000);
  const sequential = await rounds(
    "sequential",
    sizes.sequential,
    ["Go net/rpc", "bare pipe", "vscode-jsonrpc", "kkrpc"],
    perCall(sizes.sequential),
  );
  const concurrent = await rounds(
    "concurrent",
    sizes.concurrent,
    ["Go net/rpc", "vscode-jsonrpc", "kkrpc"],
    perSecond(sizes.concurrent),
  );
  const rich = await rounds(
    "rich",
    sizes.rich,
    ["kkrpc"],
    perSecond(sizes.rich),
  );
  const bytes = await rounds(
    "bytes",
    sizes.bytes,
    ["Go net/rpc"],
    // There and back.
    (milliseconds) => 2 * perSecond(sizes.bytes)(milliseconds),
  );
  return [
    ...rowsOf(sequential, "one small call after another", "µs a call", [
      ["Go net/rpc", atMost(1)],
      ["bare pipe", atMost(1.4)],
      ["vscode-jsonrpc", atMost(1)],
      ["kkrpc", atMost(1)],
    ]),
    ...rowsOf(concurrent, "1,000 small calls in flight", "calls/s", [
      ["Go net/rpc", atLeast(1.2)],
      ["vscode-jsonrpc", atLeast(4)],
      ["kkrpc", atLeast(4)],
    ]),
    ...rowsOf(rich, "the same with Date, Map, undefined", "calls/s", [
      ["kkrpc", atLeast(2)],
    ]),
    ...rowsOf(bytes, "1 MiB of bytes there and back", "MiB/s", [
      ["Go net/rpc", atLeast(1)],
    ]),
  ];
}

async function streamRows(
  host: Driver,
  { streams, streamBytes }: Sizes,
  directory: string,
): Promise<Row[]> {
  const mebibytes = streamBytes / 2 ** 20;
  const { ours, theirs } = await inTurns(
    streams,
    async () => mebibytes / (await host.time("stream", streamBytes) / 1000),
    async () => {
      const { wall } = await costOfPipeline(
        `time (head -c ${streamBytes} /dev/zero | cat | cat > /dev/null)`,
        directory,
      );
      return mebibytes / (wall / 1000);
    },
  );
  const work = `${
    mebibytes.toLocaleString("en-US")
  } MiB, plugin to host to plugin`;
  return [{
    work,
    measure: "MiB/s",
    peer: "cat",
    target: atLeast(0.5),
    baler: ours,
    others: theirs,
    ...Deno.build.os === "linux" && {
      note: `at most ${
        Math.round(Math.max(...await highWaterOf(host.pid)))
      } MiB resident in any of the three processes`,
    },
  }];
}

async function launchRows(host: Driver, sizes: Sizes): Promise<Row[]> {
  const first = await inTurns(
    sizes.firstCalls,
    () => host.time("firstCall", 1),
    () => host.time("hello", 1),
  );
  const many = await inTurns(
    sizes.launches,
    () => host.time("launches", sizes.launched),
    () => host.time("hellos", sizes.launched),
  );
  return [{
    work: "a plugin, from spawn to its first answer",
    measure: "ms",
    peer: "a hello world, to its exit",
    target: atMost(1.5),
    baler: first.ours,
    others: first.theirs,
  }, {
    work: `${sizes.launched} launches, 2 at a time`,
    measure: "ms",
    peer: "hello worlds",
    target: atMost(1.4),
    baler: many.ours,
    others: many.theirs,
  }];
}
