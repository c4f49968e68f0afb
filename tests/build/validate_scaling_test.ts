// `baler validate` takes time linear in the size of the template, also
// where every build has every provisioner, and still reports every build.

import { assert, assertEquals } from "@std/assert";
import { bigTemplate, type Shape } from "../bench/big_template.ts";
import { costOf } from "../bench/processes.ts";
import { forEachHost, Workspace } from "../support/harness.ts";

for (
  const [shape, promise] of [
    ["all", "each build has each of them"],
    ["own", "each build has its own five"],
  ] as const
) {
  Deno.test(
    `validate of 1,000 builders and 5,000 provisioners takes four times as long as of 250 and 1,250: ${promise}`,
    async () => {
      const bench = await Workspace.make("compiled");
      try {
        // CPU time, since other processes run too; 16 times as much would be quadratic.
        const small = await processorTime(bench, 250, shape);
        const large = await processorTime(bench, 1000, shape);
        assert(large < 8 * small, `${small} ms grew to ${large} ms`);
        await bench.assertNothingLeft();
      } finally {
        await bench.clear();
      }
    },
  );
}

async function processorTime(bench: Workspace, builders: number, shape: Shape) {
  await bench.write("t.json", bigTemplate(builders, shape));
  const { cpu } = await costOf({
    argv: [...bench.argv, "validate", "t.json"],
    cwd: bench.path,
    env: bench.env,
  });
  return cpu;
}

forEachHost(
  "validate reports a mistake in each build that has it",
  async (bench) => {
    await bench.write("t.json", {
      builders: ["a", "b", "c"].map((name) => ({
        type: "null",
        communicator: "none",
        name,
      })),
      provisioners: [
        { type: "shell-local", inline: "true" },
        { type: "shell-local", inline: "true", nope: 1 },
        {
          type: "shell-local",
          inline: "true",
          override: { b: { scripts: ["no-such.sh"] } },
        },
        { type: "shell-local", inline: "{{build `Nothing`}}", only: ["c"] },
      ],
      "post-processors": [{ type: "checksum", checksum_types: ["no-such"] }],
    });
    const { code, output } = await bench.baler(["validate", "t.json"]);
    assertEquals(code, 1);
    const told = output.split("Error: Failed to prepare build: ").slice(1);
    assertEquals(told.map((text) => text.slice(0, 3)), ['"a"', '"b"', '"c"']);
    for (const text of told) {
      assert(text.includes('"nope"'), text);
      assert(text.includes("no-such"), text);
    }
    const ofOneBuild = (what: string) =>
      told.map((text) => text.includes(what));
    assertEquals(ofOneBuild("no-such.sh"), [false, true, false]);
    assertEquals(ofOneBuild("Nothing"), [false, false, true]);
  },
);

forEachHost(
  "validate starts one process for all bundled components, whatever the number of builds",
  async (bench) => {
    await bench.write("t.json", bigTemplate(20, "own"));
    const { stderr } = await bench.succeeds(["validate", "t.json"], {
      env: { BALER_LOG: "1" },
    });
    const components = stderr.match(/: Plugin started in baler-bundled/g);
    assertEquals(components?.length, 20 + 100 + 3);
    const processes = stderr.match(/ baler-bundled: .*started/g);
    assertEquals(processes?.length, 1, stderr);
  },
);
