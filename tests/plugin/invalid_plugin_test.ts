// What the author of a plugin did wrong is told in the author's words: the build fails, and the
// error says which method it was and what was expected of it.

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

/** Each builder that makes a mistake, with what is said of it. */
async function assertTold(bench: Workspace, told: Record<string, string>) {
  const text = await output(bench, builders(...Object.keys(told)));
  for (const words of Object.values(told)) assertStringIncludes(text, words);
}

forEachHost(
  "a build fails with whatever a plugin throws, even with nothing",
  async (bench) => {
    await assertTold(bench, {
      "throws-nothing":
        "--> throws-nothing: a plugin threw undefined in place of an Error",
      "throws-null":
        "--> throws-null: a plugin threw null in place of an Error",
      "throws-record":
        "--> throws-record: a plugin threw { code: 3 } in place of an Error",
      "throws-text": "--> throws-text: the region is closed",
    });
  },
);

forEachHost(
  "a build that fails with nothing thrown is enough for exit code 1",
  async (bench) => {
    await output(bench, builders("throws-nothing"));
  },
);

forEachHost("a builder's result is an artifact, or nothing", async (bench) => {
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
  "what a component returns when it is prepared is told when it is no result",
  async (bench) => {
    await assertTold(bench, {
      "prepares-list":
        'the plugin\'s prepare() returned [ "an old region" ]; expected { warnings: [...], generatedData: [...] } or undefined',
    });
  },
);

forEachHost("a method that is missing is named", async (bench) => {
  await assertTold(bench, {
    "no-run": "the plugin's builder has no method run()",
    "no-prepare": "the plugin's builder has no method prepare()",
  });
});

forEachHost("an option that is declared wrong is named", async (bench) => {
  await assertTold(bench, {
    "unknown-type":
      `the plugin's option "region" has no valid type: declare it as { type, description }, with one of the types "string", "number"`,
    "type-alone": `the plugin's option "region" has no valid type`,
    "options-list":
      "the plugin's options are not an object: declare them as { name: { type, description } }",
  });
});

forEachHost(
  "what is too long to be sent is the error of the one call that sends it",
  async (bench) => {
    await assertTold(bench, {
      "too-long":
        "cannot be sent to another process; the limit is 67108864: send it as bytes (Uint8Array) or as a stream",
    });
  },
);

forEachHost(
  "a post-processor's result has an artifact in it",
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
      "* Post-processor failed: the plugin's postProcess() returned undefined; expected { artifact }, the one that came in or one of its own",
    );
    assertMatch(
      text,
      /Post-processor failed: the plugin's postProcess\(\) returned .*example\.mistaken/,
    );
    assertStringIncludes(
      text,
      "* Post-processor failed: a plugin threw undefined in place of an Error",
    );
    assertStringIncludes(text, "3 error(s) occurred");
  },
);
