// What a flood of log lines costs: the host's memory while plugins write a GiB to stderr, and how
// long a small call to another plugin takes meanwhile.
//
// Run with `deno run --allow-all tests/soak/flood.ts`; `--mib=N` for another amount, `--plugins=N`
// for more plugins that write it.

import { parseArgs } from "@std/cli/parse-args";
import { join } from "@std/path";
import { createLog, launch } from "../../host/mod.ts";
import { HELLO, program } from "../support/plugin_process.ts";

const flags = parseArgs(Deno.args, { string: ["mib", "plugins"] });
const plugins = Number(flags.plugins ?? 1);
const bytes = Number(flags.mib ?? 1024) * 2 ** 20;
const LINE = "x".repeat(99);
const IDLE_CALLS = 5_000;

const directory = await Deno.makeTempDir({ prefix: "baler-flood-" });
try {
  const file = await Deno.open(join(directory, "log"), {
    create: true,
    write: true,
  });
  const log = createLog({ targets: [file] });
  const flooding = join(directory, "flooding");
  await Deno.writeTextFile(
    flooding,
    `#!/bin/sh\n${HELLO}\nread -r welcome
yes ${LINE} | head -c ${Math.floor(bytes / plugins)} >&2\n`,
    { mode: 0o755 },
  );
  await using other = await launch(program("worker_plugin.ts"), { log });
  const thing = await other.create<{ ping(): Promise<string> }>(
    "thing",
    "working",
  );
  const time = async (times: number[]) => {
    const begin = performance.now();
    await thing.ping();
    times.push(performance.now() - begin);
  };

  const idle: number[] = [];
  while (idle.length < IDLE_CALLS) await time(idle);
  idle.splice(0, IDLE_CALLS / 2);
  const before = peakMemory();
  const begin = performance.now();
  let flooded = false;
  const done = Promise.all(Array.from({ length: plugins }, async () => {
    const plugin = await launch(flooding, { log, grace: 3_600_000 });
    await plugin.close();
  })).then(() => flooded = true);
  const meanwhile: number[] = [];
  while (!flooded) await time(meanwhile);
  await done;
  const seconds = (performance.now() - begin) / 1000;
  const { size } = await file.stat();
  if (size < bytes) throw new Error(`only ${size} bytes are in the log`);
  file.close();

  console.log(
    `${
      (bytes / 2 ** 20).toFixed(0)
    } MiB of lines from ${plugins} plugin(s) in ${
      seconds.toFixed(1)
    } s; the host's peak memory was ${before} MiB before, ${peakMemory()} MiB after`,
  );
  console.log(`a small call to another plugin without them: ${told(idle)}`);
  console.log(
    `                                       with: ${told(meanwhile)}`,
  );
} finally {
  await Deno.remove(directory, { recursive: true });
}

/** The most memory that this process has had (RSS), in MiB. */
function peakMemory(): string {
  const status = Deno.readTextFileSync("/proc/self/status");
  return (Number(/^VmHWM:\s+(\d+)/m.exec(status)![1]) / 1024).toFixed(0);
}

function told(times: number[]): string {
  times.sort((a, b) => a - b);
  const at = (part: number) =>
    `${times[Math.floor(part * (times.length - 1))]!.toFixed(2)} ms`;
  return `median ${at(0.5)}, p99 ${at(0.99)}, at most ${
    at(1)
  } (${times.length} calls)`;
}
