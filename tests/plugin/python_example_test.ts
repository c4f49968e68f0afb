// The Python example is a builder like any other: it builds, its problems are located in the template, and its artifact can be destroyed.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { forEachHost } from "../support/harness.ts";
import { missing } from "../support/programs.ts";

const plugin = fromFileUrl(
  import.meta.resolve("../../examples/python-plugin/main.py"),
);
const options = { ignore: missing("python3") };

const template = (builder: Record<string, unknown>, others = {}) => ({
  plugins: { builders: { python: plugin } },
  builders: [{ type: "python", ...builder }],
  ...others,
});

forEachHost("a builder in Python builds", async (bench) => {
  const { stdout } = await bench.builds(
    template({ whom: "Ada", file: "hello.txt" }, {
      provisioners: [{ type: "shell-local", inline: ["cp hello.txt seen"] }],
    }),
  );
  assertMatch(stdout, /==> python: Greeting Ada from Python 3\./);
  assertStringIncludes(stdout, "--> python: A greeting in hello.txt");
  assertEquals(await bench.read("hello.txt"), "Hello, Ada!\n");
  assertEquals(await bench.read("seen"), "Hello, Ada!\n");
}, options);

forEachHost(
  "a problem of a builder in Python is located in the template",
  async (bench) => {
    await bench.write("template.json", template({ fil: "hello.txt" }));
    const { code, output } = await bench.baler(["build", "template.json"]);
    assertEquals(code, 1);
    assertMatch(output, /template\.json:\d+:\d+: unknown key "fil"/);
    assertStringIncludes(output, '"file" must be a string');
  },
  options,
);

forEachHost(
  "a builder in Python cleans up when a provisioner fails",
  async (bench) => {
    await bench.write(
      "template.json",
      template({ file: "hello.txt" }, {
        provisioners: [{ type: "shell-local", inline: ["false"] }],
      }),
    );
    const { code } = await bench.baler(["build", "template.json"]);
    assertEquals(code, 1);
    assertEquals(await bench.names(), ["template.json"]);
  },
  options,
);

forEachHost(
  "an artifact of a builder in Python is destroyed in its plugin",
  async (bench) => {
    await bench.builds(
      template({ file: "hello.txt" }, {
        "post-processors": [{ type: "compress", output: "hello.tar" }],
      }),
    );
    assertEquals(await bench.names(), ["hello.tar", "template.json"]);
  },
  options,
);
