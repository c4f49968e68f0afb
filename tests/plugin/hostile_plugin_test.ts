// Hostile messages of a plugin fail its own build; other builds continue.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import {
  fixturePlugin,
  forEachHost,
  type Workspace,
} from "../support/harness.ts";

async function build(
  bench: Workspace,
  name: string,
  { provisions = false } = {},
) {
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
    }, ...provisions ? [{ type: "shell-local", inline: ["true"] }] : []],
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

forEachHost(
  "objects in many places are not multiplied when they are sent on",
  async (bench) => {
    assertStringIncludes(
      await build(bench, "doubles", { provisions: true }),
      "more than 1000000 values",
    );
  },
);

for (
  const [name, title, pattern] of [
    [
      "throws-doubles",
      "thrown",
      /a plugin threw \{\s+k0: [^]* instead of an Error/,
    ],
    [
      "returns-doubles",
      "returned",
      /run\(\) returned \{\s+k0: [^]*\.\.\.; expected/,
    ],
  ] as const
) {
  forEachHost(
    `an object is ${title} whose text would have no end`,
    async (bench) => {
      const output = await build(bench, name);
      assertMatch(output, pattern);
      assert(output.length < 20_000, `${output.length} characters`);
    },
  );
}

forEachHost("an error is shown that holds 900,000 others", async (bench) => {
  assertMatch(await build(bench, "many-errors"), /\* and 899980 more/);
});

forEachHost("an error of five million lines is cut", async (bench) => {
  const output = await build(bench, "long-error");
  assertMatch(output, /\.\.\. \(\d+ more characters\)/);
  assert(output.length < 1_000_000, `${output.length} characters`);
});

forEachHost("a ui shows a limited number of lines at once", async (bench) => {
  assertStringIncludes(
    await build(bench, "many-lines"),
    "ui.say() takes at most 100000 lines",
  );
});

forEachHost("what a builder can publish has a limit", async (bench) => {
  assertStringIncludes(
    await build(bench, "publishes"),
    "a builder can publish at most 100000 values and 16777216 characters",
  );
});
