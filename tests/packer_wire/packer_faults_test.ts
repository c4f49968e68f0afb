// A TypeScript plugin that goes wrong as Packer's, and a Packer that is killed.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { forEachPacker, type PackerRun } from "./packers.ts";

const onlySome = {
  wanted: ({ name }: { name: string }) => name === "1.6.6" || name === "1.16.0",
};

/** How a process of the test's group is called, by its number. */
async function processesOf(run: PackerRun): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const environment = await Deno.readTextFile(`/proc/${name}/environ`);
      if (!environment.includes(`TEST_NOTES=${run.path}/notes`)) continue;
      const words = (await Deno.readTextFile(`/proc/${name}/cmdline`)).split(
        "\0",
      );
      // One that has ended, and that nobody has waited for, has no words.
      if (words[0] !== "") found.set(Number(name), words.join(" "));
    } catch {
      // It has ended.
    }
  }
  return found;
}

async function assertNothingLeft(run: PackerRun): Promise<void> {
  const deadline = performance.now() + 20_000;
  let left = await processesOf(run);
  while (left.size > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    left = await processesOf(run);
  }
  assertEquals([...left.values()], []);
  const files = [...Deno.readDirSync(`${run.path}/tmp`)].map(({ name }) =>
    name
  );
  assertEquals(files.filter((name) => name.startsWith("packer-plugin-")), []);
}

for (
  const [moment, error] of [
    ["start", /plugin exited before we could connect|unexpected EOF/],
    ["prepare", /unexpected EOF|connection is shut down/],
    ["upload", /unexpected EOF|connection is shut down/],
  ] as const
) {
  await forEachPacker(`a plugin that dies at ${moment}`, async (run) => {
    const { machine } = run.names;
    await run.write("t.json", {
      builders: [{ type: machine }],
      provisioners: [{
        type: "file",
        source: "t.json",
        destination: run.at("there"),
      }],
    });
    const { code, output, log } = await run.run(["build", "t.json"], {
      TEST_DIES_AT: moment,
    });
    assertEquals(code, 1, output);
    assertMatch(output, error);
    assertStringIncludes(log, `last words at ${moment}`);
    await assertNothingLeft(run);
  }, onlySome);
}

await forEachPacker(
  "a plugin whose Packer is killed cleans up, and ends",
  async (run) => {
    const { machine } = run.names;
    await run.write("t.json", { builders: [{ type: machine, then: "wait" }] });
    const packer = run.start(["build", "t.json"]);
    await packer.shows("waiting");
    for (const [pid, words] of await processesOf(run)) {
      if (!words.includes("packer_plugin.ts")) Deno.kill(pid, "SIGKILL");
    }
    await packer.ended();
    await assertNothingLeft(run);
    assert((await run.notes()).includes("builder cleaned up"));
  },
  onlySome,
);

await forEachPacker(
  "an idle plugin is not taken for dead, one that blocks its event loop is",
  async (run) => {
    const { machine } = run.names;
    const { code, output } = await run.build({
      builders: [
        { type: machine, name: "idle", then: "idle" },
        { type: machine, name: "hanging", then: "hang" },
      ],
    });
    assertEquals(code, 1, output);
    assertMatch(
      output,
      /Build '.*hanging' errored.*(unexpected EOF|shut down)/,
    );
    assertStringIncludes(output, `--> ${run.title("idle")}: image image-1`);
    await assertNothingLeft(run);
  },
  onlySome,
);
