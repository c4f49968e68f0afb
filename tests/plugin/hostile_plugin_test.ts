// Hostile messages of a plugin fail its own build; other builds continue.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  fixturePlugin,
  forEachHost,
  type Workspace,
} from "../support/harness.ts";

async function build(bench: Workspace, name: string) {
  await bench.write("template.json", {
    plugins: { builders: { hostile: fixturePlugin("hostile") } },
    builders: [
      { type: "hostile", name },
      { type: "file", name: "other", content: "x", target: "made.txt" },
    ],
    provisioners: [{
      type: "shell-local",
      only: ["other"],
      inline: ["sleep 1"],
    }],
  });
  const ended = await bench.baler(["build", "template.json"]);
  assertEquals(ended.code, 1, ended.output);
  assertEquals(await bench.read("made.txt"), "x", ended.output);
  assertEquals(
    ended.stdout.match(/^Build 'other' finished/gm)?.length,
    1,
    ended.output,
  );
  return ended.stdout;
}

forEachHost(
  "a value is not converted by calls to its plugin",
  async (bench) => {
    assertStringIncludes(
      await build(bench, "converts"),
      "ui.say() takes a string, not a value of type object",
    );
  },
);

forEachHost("only the interface of a ui can be called", async (bench) => {
  assertMatch(
    await build(bench, "internals"),
    /errored after .*: (.*has no method [^;]*(; )?){4}$/m,
  );
});

forEachHost(
  "an error of a plugin cannot forge a line of the host",
  async (bench) => {
    assertMatch(await build(bench, "forges"), /^ +Build 'other' finished\.$/m);
  },
);
