// A plugin whose host has been killed cleans up, and a failing report does not stop the cleanup: neither to the ui, nor to the log, nor to a stream of the host.

import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { compile } from "../../tools/compile.ts";
import { program } from "../support/plugin_process.ts";
import { Workspace } from "../support/harness.ts";
import { within } from "../support/within.ts";

/** Calls that must fail when the host has died, since the plugin relies on their result. */
const FAILING = ["ask", "the provision hook", "reading from a stream"];

/** Waits until a file has a line. */
async function noted(path: string, line: string): Promise<string[]> {
  for (;;) {
    const lines = await Deno.readTextFile(path).catch(() => "");
    if (lines.split("\n").includes(line)) return lines.trimEnd().split("\n");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function assertCleansUp(
  kind: "builder" | "command",
  plugin: readonly string[],
): Promise<void> {
  const bench = await Workspace.make("source");
  try {
    const go = bench.at("go");
    await new Deno.Command("mkfifo", { args: [go] }).output();
    const command = [...plugin, bench.path, go];
    await bench.write("template.json", {
      plugins: { builders: { "cleaning-up": command } },
      builders: [{ type: "cleaning-up" }],
    });
    await bench.write("config.json", {
      commands: { "cleaning-up": command },
    });
    const run = bench.start(
      kind === "builder" ? ["build", "template.json"] : ["cleaning-up"],
      { env: { BALER_CONFIG: bench.at("config.json"), BALER_LOG: "1" } },
    );
    const notes = bench.at(`${kind}.notes`);
    const seen = (line: string) =>
      within(JSON.stringify(line), noted(notes, line), 30_000);
    await seen("is up");
    run.kill("SIGSTOP");
    await Deno.writeTextFile(go, "");
    await seen("has called");
    run.kill("SIGKILL");
    const lines = await seen("has cleaned up");
    await within("the end of the host", run.ended(), 30_000);
    const calls = lines.filter((line) => / (in flight|afterwards) /.test(line));
    assertEquals(
      new Set(calls.map((line) => line.split(/ in flight | afterwards /)[0]))
        .size * 2,
      calls.length,
    );
    for (const line of calls) {
      const mustFail = FAILING.some((name) => line.startsWith(name));
      assertMatch(
        line,
        mustFail ? / failed: baler has exited$/ : / succeeded$/,
        lines.join("\n"),
      );
    }
    if (kind === "command") {
      await within(
        "the end of the command",
        noted(bench.at("command.closed"), ""),
        30_000,
      );
    }
    await bench.assertNothingLeft();
  } finally {
    await bench.clear();
  }
}

for (const kind of ["builder", "command"] as const) {
  for (const from of ["source", "compiled"] as const) {
    Deno.test({
      name:
        `a ${kind} that cleans up is not stopped by the death of its host (${from})`,
      ignore: Deno.build.os === "windows",
      async fn() {
        const plugin = from === "source"
          ? program("cleanup_plugin.ts")
          : [await compiledPlugin()];
        await assertCleansUp(kind, plugin);
      },
    });
  }
}

async function compiledPlugin(): Promise<string> {
  const [plugin] = await compile([{
    name: "cleaning-up-plugin",
    entry: fromFileUrl(
      import.meta.resolve("../fixtures/plugins/cleanup_plugin.ts"),
    ),
    flags: ["--allow-all"],
  }], { say: () => {} });
  return plugin!.path;
}
