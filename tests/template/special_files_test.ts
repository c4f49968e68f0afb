// Files that Deno does not open (in /dev, /proc and /sys) can be used as templates and
// variable files, or are rejected with a helpful error.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { forEachHost } from "../support/harness.ts";
import { NOT_LINUX } from "../support/programs.ts";

const template = {
  variables: { name: "default" },
  builders: [{ type: "file", content: "{{user `name`}}", target: "out" }],
};

forEachHost(
  "a template and variables are read from descriptors and from /dev/shm",
  async (bench) => {
    const text = JSON.stringify(template);
    await bench.write("t.json", text);
    await bench.write("v.json", { name: "given" });
    const builds = async (args: string[], script = 'exec "$@"') => {
      await Deno.remove(bench.at("out")).catch(() => {});
      const { code, output } = await bench.baler(["build", ...args], {
        through: ["bash", "-c", script, "bash"],
        stdin: text,
      });
      assertEquals(code, 0, output);
      return await bench.read("out");
    };
    assertEquals(await builds(["/dev/stdin"]), "default");
    assertEquals(await builds(["/dev/fd/0"]), "default");
    assertEquals(await builds(["/proc/self/fd/0"]), "default");
    assertEquals(
      await builds(["-var-file=/dev/fd/9", "t.json"], 'exec "$@" 9<v.json'),
      "given",
    );
    // Process substitution, as in: baler build <(make-template)
    assertEquals(
      await builds([], 'exec "$@" -var-file=<(cat v.json) <(cat t.json)'),
      "given",
    );
    const shared = await Deno.makeTempDir({ dir: "/dev/shm" });
    try {
      await Deno.copyFile(bench.at("t.json"), `${shared}/t.json`);
      await Deno.copyFile(bench.at("v.json"), `${shared}/v.json`);
      assertEquals(
        await builds([`-var-file=${shared}/v.json`, `${shared}/t.json`]),
        "given",
      );
      const inside = await bench.baler(["validate", "t.json"], { cwd: shared });
      assertEquals(inside.code, 0, inside.output);
    } finally {
      await Deno.remove(shared, { recursive: true });
    }
  },
  { ignore: NOT_LINUX },
);

forEachHost(
  "a file that Deno does not open is rejected with what to do",
  async (bench) => {
    await bench.write("t.json", template);
    for (
      const args of [
        ["build", "/dev/fd/99"],
        ["build", "/dev/shm/no-such-file"],
        ["build", "-var-file=/proc/self/no-such-file", "t.json"],
      ]
    ) {
      const { code, output } = await bench.baler(args);
      assertEquals(code, 1);
      assertStringIncludes(output, "no such file or directory");
      assert(!/all access|compiled|permissions/.test(output), output);
    }
  },
  { ignore: NOT_LINUX },
);

forEachHost(
  "a configuration directory that is a file is rejected with its path",
  async (bench) => {
    await bench.write("t.json", template);
    const { code, output } = await bench.baler(["build", "t.json"], {
      env: { XDG_CONFIG_HOME: bench.at("t.json") },
    });
    assertEquals(code, 1);
    assertStringIncludes(
      output,
      `cannot read the core configuration ${
        bench.at("t.json")
      }/baler/config.json: a component of the path is not a directory`,
    );
  },
  { ignore: NOT_LINUX },
);
