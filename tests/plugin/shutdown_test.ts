// A plugin that fails while it shuts down, after its work is done: each command reports it once and
// fails, and the artifacts are kept. Builds are tested in fault_matrix_test.ts.

import { assertEquals, assertMatch } from "@std/assert";
import { FAULTY } from "../faults/run_cell.ts";
import { fixturePlugin, forEachHost } from "../support/harness.ts";

const BADLY = [...FAULTY, "shutdown", "exit3"];

const TOLD = / exited with code 3 while it shut down$/gm;

forEachHost(
  "validate fails when a plugin fails to shut down cleanly",
  async (bench) => {
    await bench.write("template.json", { builders: { one: BADLY } });
    const ended = await bench.baler(["validate", "template.json"]);
    assertEquals(ended.code, 1, ended.output);
    assertEquals(ended.output.match(TOLD)?.length, 1, ended.output);
    assertMatch(ended.output, /^ {4}last words shutdown$/m);
    assertEquals(ended.output.includes("is valid"), false);
  },
);

forEachHost(
  "a failed build is reported once, however its plugins exit afterwards",
  async (bench) => {
    await bench.write("template.json", {
      builders: { one: BADLY },
      provisioners: [{ type: "shell-local", inline: ["exit 4"] }],
    });
    const ended = await bench.baler(["build", "template.json"]);
    assertEquals(ended.code, 1, ended.output);
    assertEquals(ended.output.match(TOLD), null, ended.output);
    assertMatch(ended.output, /non-zero exit status: 4/);
  },
);

forEachHost(
  "machine-readable output has the failed shutdown of a plugin and the artifact",
  async (bench) => {
    await bench.write("template.json", { builders: { one: BADLY } });
    const { code, stdout } = await bench.baler([
      "build",
      "-machine-readable",
      "template.json",
    ]);
    assertEquals(code, 1, stdout);
    assertMatch(stdout, /^\d+,,error-count,1$/m);
    assertMatch(stdout, /^\d+,one,error,.* exited with code 3 while it/m);
    assertMatch(stdout, /^\d+,one,artifact,0,file,0,.*one\.out$/m);
  },
);

forEachHost(
  "a command plugin that fails to shut down cleanly is reported, and the exit code is not 0",
  async (bench) => {
    const config = await bench.write("core.json", {
      commands: { shout: fixturePlugin("shout_command") },
    });
    for (const [own, code] of [["0", 1], ["42", 42]] as const) {
      const ended = await bench.baler(["shout", "-stumble", own], {
        env: { BALER_CONFIG: config },
      });
      assertEquals(ended.code, code, ended.output);
      assertEquals(ended.output.match(TOLD)?.length, 1, ended.output);
    }
  },
);
