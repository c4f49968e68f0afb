// The soak over Packer's wire: a thousand calls a second for a minute, with
// commands, uploads and downloads among them, between a plugin that is started
// as Packer starts it and a host that speaks as Packer does. In the end both
// hold what they held in the beginning.
//
// Run with `deno task soak:packer`; `--seconds=N` is another duration, and
// `--any-pace` does not fail where the calls did not keep pace. Exits with 1
// when something has grown.

import { parseArgs } from "@std/cli/parse-args";
import { fromFileUrl } from "@std/path";
import { GoProcess } from "../../adapters/packer/go_process.ts";
import type { HookOptions } from "../../plugin/contract/hook.ts";
import type { Ui } from "../../plugin/contract/ui.ts";
import { RemoteBuilder } from "../../plugin/packer_wire/builder.ts";
import { COMPONENT_ID } from "../../plugin/packer_wire/connection.ts";

declare const gc: () => void;

/** What both sides hold at one time. */
interface Held {
  heap: number;
  rss: number;
  files: number;
  streams: number;
  pluginHeap: number;
  pluginRss: number;
  pluginFiles: number;
}

/** By how much each may be more in the end than in the beginning. */
const SLACK: Readonly<Record<keyof Held, number>> = {
  heap: 1.5e6,
  rss: 64e6,
  files: 0,
  streams: 0,
  pluginHeap: 1.5e6,
  pluginRss: 64e6,
  pluginFiles: 0,
};

const CALLS_A_SECOND = 1_000;

const flags = parseArgs(Deno.args, {
  string: ["seconds"],
  boolean: ["any-pace"],
});
const seconds = Number(flags.seconds ?? 60);

const plugin = await GoProcess.start({
  path: Deno.execPath(),
  args: [
    "run",
    "--quiet",
    "--allow-all",
    "--v8-flags=--expose-gc",
    fromFileUrl(import.meta.resolve("./packer_plugin.ts")),
    "start",
    "builder",
    "-packer-default-plugin-name-",
  ],
  name: "the plugin of the soak",
  logPrefix: "",
});
const { connection } = plugin;
const builder = new RemoteBuilder(
  await connection.dial(COMPONENT_ID),
  connection,
);

/** Has the plugin call so many times, at the pace, and returns what both sides hold then. */
async function run(calls: number): Promise<Held & { elapsedMs: number }> {
  const begin = performance.now();
  let count = 0;
  let theirs: number[] = [];
  const ui: Ui = {
    say() {},
    error() {},
    progress() {},
    ask: () => "",
    async message(line) {
      if (line !== `call ${count}`) {
        throw new Error(`"${line}" instead of call ${count}`);
      }
      count++;
      // The answer to a call that is early waits.
      const earlyMs = begin + count * 1000 / CALLS_A_SECOND -
        performance.now();
      if (earlyMs > 2) {
        await new Promise((resolve) => setTimeout(resolve, earlyMs));
      }
    },
    machine(_, ...numbers) {
      theirs = numbers.map(Number);
    },
  };
  await builder.prepare({
    config: { calls },
    build: {
      name: "soak",
      type: "soak",
      workingDirectory: Deno.cwd(),
      userVariables: {},
      sensitiveVariables: [],
      debug: false,
      force: false,
      onError: "cleanup",
      coreVersion: "0",
      packerVersion: "1.16.0",
      startedAt: new Date(),
    },
  });
  await builder.run({
    ui,
    hook: { run: provision },
    signal: new AbortController().signal,
  });
  const elapsedMs = performance.now() - begin;
  if (count !== calls) throw new Error(`${count} calls instead of ${calls}`);
  gc();
  const { heapUsed, rss } = Deno.memoryUsage();
  const [pluginHeap, pluginRss, pluginFiles] = theirs as [
    number,
    number,
    number,
  ];
  return {
    elapsedMs,
    heap: heapUsed,
    rss,
    files: [...Deno.readDirSync("/proc/self/fd")].length,
    streams: connection.broker.session.streamCount,
    pluginHeap,
    pluginRss,
    pluginFiles,
  };
}

/** Uses each part of the machine's communicator. */
async function provision({ communicator, data }: HookOptions): Promise<void> {
  const machine = communicator!;
  await machine.upload({
    path: `/up/${data?.ID}`,
    source: new Blob([new Uint8Array(1_000)]).stream(),
  });
  let length = 0;
  await machine.download({
    path: "/down",
    destination: new WritableStream({
      write(chunk) {
        length += chunk.length;
      },
    }),
  });
  if (length !== 1_000) throw new Error(`${length} bytes came down`);
  const command = await machine.start({
    command: "read",
    stdin: new Blob(["fed"]).stream(),
    stdout: new WritableStream(),
    stderr: new WritableStream(),
  });
  const status = await command.wait();
  if (status !== 0) throw new Error(`the command ended with ${status}`);
}

// The runtime compiles and keeps what it needs once, which is no growth.
await run(3_000);
const before = await run(2_000);
const after = await run(seconds * CALLS_A_SECOND);

const pace = seconds * CALLS_A_SECOND / (after.elapsedMs / 1000);
console.log(`${seconds * CALLS_A_SECOND} calls, ${pace.toFixed(0)} a second`);
// A machine that is busy with something else is not the wire's fault.
let hasFailed = pace < 0.95 * CALLS_A_SECOND &&
  !flags["any-pace"];
if (hasFailed) console.log("TOO SLOW");
for (const key of Object.keys(SLACK) as (keyof Held)[]) {
  const hasGrown = after[key] > before[key] + SLACK[key];
  hasFailed ||= hasGrown;
  const shown = (value: number) =>
    SLACK[key] > 0 ? `${(value / 1e6).toFixed(1)} MB` : `${value}`;
  console.log(
    `${key.padEnd(12)} ${shown(before[key]).padStart(9)} -> ${
      shown(after[key]).padStart(9)
    }${hasGrown ? "  GROWN" : ""}`,
  );
}
await plugin.close();
Deno.exit(hasFailed ? 1 : 0);
