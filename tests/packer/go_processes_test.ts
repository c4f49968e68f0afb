// The processes of Packer's Go plugins under baler: they end with the build, with the host and with the adapter,
// and their death is reported.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { launch } from "../../host/mod.ts";
import { within } from "../support/within.ts";
import { ofPacker, processesWith, testWithPackers } from "./support.ts";
import { debianPacker } from "../peers/peers.ts";

/** A build whose Go provisioner runs a script that waits until it is killed. */
function waiting(packer: string, marker: string) {
  return {
    plugins: {
      builders: { gofile: ofPacker(packer, "builder", "file") },
      provisioners: { golocal: ofPacker(packer, "provisioner", "shell-local") },
    },
    builders: [{ type: "gofile", content: "x", target: "out.txt" }],
    provisioners: [{
      type: "golocal",
      inline: [`echo waiting ${marker}`, "sleep 600"],
    }],
  };
}

await testWithPackers(
  "a Go plugin that is killed in a call is reported with its signal and its last lines",
  ["packer"],
  async ({ bench, paths: [packer], env }) => {
    await bench.write("template.json", waiting(packer!, "here"));
    const run = bench.start(["build", "template.json"], { env });
    await run.shows("waiting here");
    const [pid] = await processesOf(
      bench.env,
      `${packer} plugin packer-provisioner-shell-local`,
      "packer",
    );
    Deno.kill(pid!, "SIGKILL");
    const ended = await run.ended();
    assertEquals(ended.code, 1);
    assertMatch(
      ended.output,
      /packer plugin packer-provisioner-shell-local was killed by SIGKILL while the provisioner golocal was at work\nIt wrote:\n( {4}.*\n)*.*Executing local shell command/,
    );
    assert(!ended.output.includes("unexpected EOF"), ended.output);
    await removeScripts(bench.env.TMPDIR!);
  },
);

await testWithPackers(
  "a Go plugin that is stopped in a call is killed, and reported",
  ["packer"],
  async ({ bench, paths: [packer], env }) => {
    await bench.write("template.json", waiting(packer!, "on"));
    const run = bench.start(["build", "template.json"], { env });
    await run.shows("waiting on");
    const [pid] = await processesOf(
      bench.env,
      `${packer} plugin packer-provisioner-shell-local`,
      "packer",
    );
    Deno.kill(pid!, "SIGSTOP");
    const ended = await run.ended();
    assertEquals(ended.code, 1);
    assertMatch(
      ended.output,
      /packer-provisioner-shell-local lost its connection \(.+\), and was killed, while the provisioner golocal was at work/,
    );
    await removeScripts(bench.env.TMPDIR!);
  },
);

await testWithPackers(
  "a program that is not a Packer plugin is reported as such",
  [],
  async ({ bench, baler }) => {
    const path = await bench.write(
      "packer-builder-odd",
      "#!/bin/sh\necho 'no plugin' >&2\necho hello\n",
      { mode: 0o755 },
    );
    await bench.write("template.json", { builders: [{ type: path }] });
    const ended = await baler(["validate", "template.json"]);
    assertEquals(ended.code, 1);
    assertMatch(
      ended.output,
      /packer-builder-odd is no plugin of Packer's: it printed "hello"/,
    );
    await bench.write(
      "packer-builder-odd",
      "#!/bin/sh\necho sorry >&2\nexit 3\n",
      {
        mode: 0o755,
      },
    );
    assertMatch(
      (await baler(["validate", "template.json"])).output,
      /packer-builder-odd exited with code 3 before the handshake\n[^]*It wrote:\n {4}sorry/,
    );
    await bench.write("packer-builder-odd", "#!/bin/sh\necho '5|1|unix|/x'\n", {
      mode: 0o755,
    });
    assertMatch(
      (await baler(["validate", "template.json"])).output,
      /speaks version 5\.1 of Packer's plugin protocol; baler speaks 5\.0/,
    );
  },
);

await testWithPackers(
  "Ctrl-C cancels a Go provisioner, and a Go builder cleans up before the build finishes",
  ["packer"],
  async ({ bench, paths: [packer], env }) => {
    await bench.write("template.json", waiting(packer!, "now"));
    const run = bench.start(["build", "template.json"], { env });
    await run.shows("waiting now");
    run.kill("SIGINT");
    const ended = await run.ended();
    assert(ended.code !== 0);
    assertMatch(ended.output, /cancelled|interrupt/i);
    assert(!ended.output.includes("panic:"), ended.output);
  },
);

for (const victim of ["the host", "the adapter"]) {
  await testWithPackers(
    `nothing of a Go plugin is left when ${victim} is killed`,
    ["packer"],
    async ({ bench, paths: [packer], env }) => {
      await bench.write("template.json", waiting(packer!, "there"));
      const run = bench.start(["build", "template.json"], { env });
      await run.shows("waiting there");
      // The script prints this right before it starts the process that it waits for.
      while ((await processesOf(bench.env, "sleep 600")).length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      if (victim === "the host") run.kill("SIGKILL");
      else {
        const [adapter] = await processesOf(
          bench.env,
          "--serve",
          "baler-packer",
          "deno",
        );
        Deno.kill(adapter!, "SIGKILL");
      }
      const { output } = await run.ended();
      if (victim === "the adapter") {
        assertMatch(
          output,
          /baler-packer was killed by SIGKILL .*provision\(\) of .*packer plugin packer-provisioner-shell-local/,
        );
      }
      await removeScripts(bench.env.TMPDIR!);
    },
  );
}

await testWithPackers(
  "a Go plugin whose session is idle for longer than a keep-alive stays connected",
  ["packer"],
  async ({ bench, paths: [packer], builds }) => {
    await builds({
      plugins: {
        builders: { gonull: ofPacker(packer!, "builder", "null") },
      },
      builders: [{ type: "gonull", communicator: "none" }],
      provisioners: [{
        type: "shell-local",
        inline: ["sleep 36", `touch ${bench.at("done")}`],
      }],
    });
    await bench.read("done");
  },
);

const { path: packer, missing } = await debianPacker();

Deno.test({
  name: `a cancel at any moment of a Go builder's run does not crash it${
    missing ? `; skipped: ${missing}` : ""
  }`,
  ignore: missing !== undefined,
  async fn() {
    const adapter = [
      Deno.execPath(),
      "run",
      "--quiet",
      "--allow-all",
      join(import.meta.dirname!, "../../adapters/packer/main.ts"),
      packer!,
      "plugin",
    ];
    for (const delay of [undefined, 0, 1, 2, 5, 10, 40]) {
      const lines: string[] = [];
      await using plugin = await launch(adapter, {
        log: {
          write: (_, block) => {
            lines.push(
              block instanceof Uint8Array
                ? new TextDecoder().decode(block)
                : block.join("\n"),
            );
          },
        },
      });
      // deno-lint-ignore no-explicit-any
      const builder = await plugin.create<any>("builder", "null");
      await builder.prepare({
        config: { communicator: "none" },
        build: buildContext(),
      });
      const controller = new AbortController();
      const running = builder.run({
        ui: silentUi(),
        hook: {
          run: ({ signal }: { signal: AbortSignal }) =>
            new Promise((_, reject) => {
              signal.addEventListener("abort", () => reject(signal.reason));
            }),
        },
        signal: controller.signal,
      });
      if (delay === undefined) controller.abort();
      else setTimeout(() => controller.abort(), delay);
      const error = await within(
        `cancel after ${delay} ms`,
        running.then(() => undefined, (error: Error) => error),
      );
      assert(error !== undefined, `cancel after ${delay} ms`);
      assert(!lines.join("").includes("panic:"), lines.join(""));
      assert(!/exited with code/.test(String(error)), String(error));
    }
  },
});

/** Removes the scripts of a Go plugin that was killed, which had no time to do so. */
async function removeScripts(directory: string): Promise<void> {
  for await (const { name } of Deno.readDir(directory)) {
    if (/^packer-shell\d+$/.test(name)) {
      await Deno.remove(join(directory, name));
    }
  }
}

function buildContext() {
  return {
    name: "n",
    type: "null",
    workingDirectory: Deno.cwd(),
    userVariables: {},
    sensitiveVariables: [],
    debug: false,
    force: false,
    onError: "cleanup",
    coreVersion: "0",
    packerVersion: "1.6.6",
    startedAt: new Date(),
  };
}

class SilentUi {
  say() {}
  message() {}
  error() {}
  machine() {}
  ask() {
    throw new Error("nobody is there");
  }
  progress() {}
}

function silentUi() {
  return new SilentUi();
}

/** The processes of this test's run whose command line has a text, and whose program is one of these. */
async function processesOf(
  { TEST_RUN_OF_BALER: marker }: Readonly<Record<string, string>>,
  text: string,
  ...programs: string[]
): Promise<number[]> {
  const found: number[] = [];
  for (const pid of await processesWith(text)) {
    try {
      const environment = await Deno.readTextFile(`/proc/${pid}/environ`);
      const [program] = (await Deno.readTextFile(`/proc/${pid}/cmdline`))
        .split("\0");
      if (!environment.includes(`TEST_RUN_OF_BALER=${marker}`)) continue;
      if (
        programs.length > 0 &&
        !programs.some((name) => program!.endsWith(`/${name}`))
      ) continue;
      found.push(pid);
    } catch {
      // It has exited meanwhile.
    }
  }
  return found;
}
