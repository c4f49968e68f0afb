// However much plugins log: all of it is in the log, the host's memory does not grow, and calls are answered meanwhile.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createLog, launch, type LogTarget } from "../../host/mod.ts";
import {
  GREETING,
  HELLO,
  program,
  Recorder,
  testPosix,
} from "../support/plugin_process.ts";
import { fixturePlugin, forEachHost } from "../support/harness.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { failure } from "../support/failure.ts";
import { NOT_LINUX } from "../support/programs.ts";

const PLUGINS = 20;
const LINES = 2_000;

/** A script that writes many lines, the last without a line end, and is killed by a signal. */
function dying(directory: TemporaryDirectory, name: string): Promise<string> {
  return directory.script(
    name,
    ...GREETING,
    "read -r call",
    `awk 'BEGIN { for (i = 1; i < ${LINES}; i++)
  printf "${name} %d %s\\n", i, substr("${
      "-".repeat(200)
    }", 1, i % 200) }' >&2`,
    `printf '${name} the end' >&2`,
    "kill -SEGV $$",
  );
}

/** Returns the output of the script with a name. */
function words(name: string): string[] {
  return Array.from(
    { length: LINES },
    (_, at) =>
      at === LINES - 1
        ? `${name} the end`
        : `${name} ${at + 1} ${"-".repeat((at + 1) % 200)}`,
  );
}

for (const logged of [true, false]) {
  testPosix(
    `of ${PLUGINS} plugins that die at once ${
      logged
        ? "each byte is in the log"
        : "the last lines are told, without a log"
    }`,
    async () => {
      await using directory = await TemporaryDirectory.make();
      const record = new Recorder();
      const names = Array.from({ length: PLUGINS }, (_, at) => `plugin${at}`);
      await Promise.all(names.map(async (name) => {
        const path = await dying(directory, name);
        await using plugin = await launch(path, {
          name,
          ...logged ? { log: record.log } : {},
        });
        const thing = await plugin.create<{ work(): Promise<void> }>(
          "thing",
          "any",
        );
        const { message } = await failure(thing.work());
        assertStringIncludes(message, "SIGSEGV");
        const last = words(name).slice(-20).map((line) => line.trimEnd());
        assertEquals(plugin.lastLines, last);
        for (const line of last) assertStringIncludes(message, line);
      }));
      if (!logged) return assertEquals(record.text, "");
      const seen = new Map(names.map((name) => [name, [] as string[]]));
      for (const line of record.lines) {
        const [, name, text] = /^\S+ \S+ (\S+): (.*)$/.exec(line)!;
        seen.get(name!)!.push(text!);
      }
      for (const name of names) {
        assertEquals(seen.get(name), ["Plugin started", ...words(name)]);
      }
    },
  );
}

testPosix("calls are answered while other plugins flood the log", async () => {
  await using directory = await TemporaryDirectory.make();
  let bytes = 0;
  let flooded = Promise.withResolvers<void>();
  const counter: LogTarget = {
    writeSync(chunk) {
      bytes += chunk.length;
      flooded.resolve();
      return chunk.length;
    },
    isTerminal: () => false,
  };
  const log = createLog({ targets: [counter] });
  await using other = await launch(program("worker_plugin.ts"));
  const thing = await other.create<{ ping(): Promise<string> }>(
    "thing",
    "working",
  );
  const path = await directory.script(
    "flood",
    HELLO,
    "read -r welcome",
    "yes >&2",
  );
  const floods = await Promise.all(
    Array.from({ length: 3 }, () => launch(path, { log, grace: 1 })),
  );
  try {
    for (let call = 0; call < 5; call++) {
      // More lines have arrived since the last call, and the flood continues.
      flooded = Promise.withResolvers();
      await flooded.promise;
      assertEquals(await thing.ping(), "pong");
    }
    assert(bytes > 200_000, `only ${bytes} bytes`);
  } finally {
    await Promise.all(floods.map((flood) => flood.close()));
  }
});

const LOGGED_LINES = 671_000;

forEachHost(
  "a plugin that logs 64 MiB does not increase the host's memory",
  async (bench) => {
    await bench.write("template.json", {
      builders: {
        flooding: {
          plugin: fixturePlugin("stderr_flood"),
          bytes: LOGGED_LINES * 100,
        },
      },
    });
    const run = bench.start(["build", "template.json"], {
      env: { BALER_LOG: "1", BALER_LOG_PATH: bench.at("log") },
      // The log also goes to stderr, which is not needed here.
      through: ["sh", "-c", 'exec "$@" 2>/dev/null', "sh"],
    });
    await run.shows("flooding: flood?");
    const before = await peakMemory(run.pid);
    await run.write("yes\n");
    await run.shows("flooding: flooded?");
    const grown = await peakMemory(run.pid) - before;
    await run.write("yes\n");
    const { code, output } = await run.ended();
    assertEquals(code, 0, output);
    assert(grown < 64, `${grown} MiB more than before`);
    const log = await Deno.readFile(bench.at("log"));
    let lines = 0;
    for (let at = 0; at < log.length;) {
      const end = log.indexOf(10, at);
      const text = log.subarray(log.lastIndexOf(32, end) + 1, end);
      if (text.length === 99 && text[0] === 120 && text[98] === 120) lines++;
      at = end + 1;
    }
    assertEquals(lines, LOGGED_LINES);
  },
  { ignore: NOT_LINUX },
);

/** Returns the peak memory of a process (RSS), in MiB. */
async function peakMemory(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)![1]) / 1024;
}

testPosix(
  "other plugins can be called while one floods stdout with empty lines",
  async () => {
    interface Thing {
      work(): Promise<void>;
      echo(value: number): Promise<number>;
    }
    await using directory = await TemporaryDirectory.make();
    const path = await directory.script(
      "flood",
      ...GREETING,
      "read -r call",
      "exec yes ''",
    );
    await using flooding = await launch(path, { grace: 0 });
    await using other = await launch(program("burst_plugin.ts"));
    const flood = await flooding.create<Thing>("thing", "");
    const thing = await other.create<Thing>("thing", "");
    void flood.work();
    for (let call = 0; call < 150; call++) {
      assertEquals(await thing.echo(call), call);
    }
  },
);
