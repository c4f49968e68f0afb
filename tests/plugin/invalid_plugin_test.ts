// Mistakes of a plugin's author are reported in terms of the plugin's code: the build fails, and the
// error names the method and the expected result.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  fixturePlugin,
  forEachHost,
  type Workspace,
} from "../support/harness.ts";

async function output(bench: Workspace, template: object): Promise<string> {
  await bench.write("template.json", template);
  const ended = await bench.baler(["build", "template.json"]);
  assertEquals(ended.code, 1, ended.output);
  return ended.output;
}

const builders = (...names: string[]) => ({
  plugins: {
    builders: Object.fromEntries(
      names.map((name) => [name, fixturePlugin("invalid_results")]),
    ),
  },
  builders: names.map((type) => ({ type })),
});

/** Each builder with a mistake, and the expected error. */
async function assertTold(bench: Workspace, told: Record<string, string>) {
  const text = await output(bench, builders(...Object.keys(told)));
  for (const words of Object.values(told)) assertStringIncludes(text, words);
}

forEachHost(
  "a build fails with any value that a plugin throws, even undefined",
  async (bench) => {
    await assertTold(bench, {
      "throws-nothing":
        "--> throws-nothing: a plugin threw undefined instead of an Error",
      "throws-null": "--> throws-null: a plugin threw null instead of an Error",
      "throws-record":
        "--> throws-record: a plugin threw { code: 3 } instead of an Error",
      "throws-text": "--> throws-text: the region is closed",
    });
  },
);

forEachHost(
  "a build that fails with undefined gives exit code 1",
  async (bench) => {
    await output(bench, builders("throws-nothing"));
  },
);

forEachHost("a builder returns an artifact or undefined", async (bench) => {
  const artifact =
    "expected an artifact ({ builderId, id, files, destroy(), toString() }, with strings and a list of strings) or undefined";
  await assertTold(bench, {
    "returns-text": `the plugin's run() returned "image-1"; ${artifact}`,
    "returns-list": "--> returns-list: the plugin's run() returned [",
    "returns-record": `the plugin's run() returned { id: "1" }; ${artifact}`,
    "files-text": "--> files-text: the plugin's run() returned ",
  });
  const none = builders("returns-null");
  await bench.write("none.json", none);
  const { code, output: text } = await bench.baler(["build", "none.json"]);
  assertEquals(code, 0, text);
});

forEachHost(
  "an invalid result of prepare() or configure() is reported",
  async (bench) => {
    await assertTold(bench, {
      "prepares-list":
        'the plugin\'s prepare() returned [ "an old region" ]; expected { warnings: [...], generatedData: [...] } or undefined',
    });
  },
);

forEachHost("a missing method is named in the error", async (bench) => {
  await assertTold(bench, {
    "no-run": "the plugin's builder has no method run()",
    "no-prepare": "the plugin's builder has no method prepare()",
  });
});

forEachHost(
  "an option with an invalid declaration is named in the error",
  async (bench) => {
    await assertTold(bench, {
      "unknown-type":
        `the plugin's option "region" has no valid type: declare it as { type, description }, with one of the types "string", "number"`,
      "type-alone": `the plugin's option "region" has no valid type`,
      "options-list":
        "the plugin's options are not an object: declare them as { name: { type, description } }",
    });
  },
);

forEachHost(
  "a message that is too long fails only the call that sends it",
  async (bench) => {
    await assertTold(bench, {
      "too-long":
        "cannot be sent to another process; the limit is 67108864: send it as bytes (Uint8Array) or as a stream",
    });
  },
);

forEachHost(
  "the result of a post-processor contains an artifact",
  async (bench) => {
    const names = ["makes-nothing", "makes-artifact", "throws-nothing"];
    const text = await output(bench, {
      plugins: {
        "post-processors": Object.fromEntries(
          names.map((name) => [name, fixturePlugin("invalid_results")]),
        ),
      },
      builders: [{ type: "null", communicator: "none" }],
      "post-processors": names,
    });
    assertStringIncludes(
      text,
      "* Post-processor failed: the plugin's postProcess() returned undefined; expected { artifact } with the input artifact or a new one",
    );
    assertMatch(
      text,
      /Post-processor failed: the plugin's postProcess\(\) returned .*example\.mistaken/,
    );
    assertStringIncludes(
      text,
      "* Post-processor failed: a plugin threw undefined instead of an Error",
    );
    assertStringIncludes(text, "3 error(s) occurred");
  },
);
