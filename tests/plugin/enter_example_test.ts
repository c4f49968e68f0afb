// The example of a communicator that implements start() alone.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { examplePlugin, forEachHost } from "../support/harness.ts";

forEachHost(
  "the example builder enter provisions what it enters",
  async (bench) => {
    await bench.write("up.txt", "uploaded");
    await bench.write("template.json", {
      plugins: {
        builders: { enter: await examplePlugin("baler-builder-enter") },
      },
      builders: [{ type: "enter", enter: ["env", "WHERE=inside"] }],
      provisioners: [
        {
          type: "shell",
          inline: ["echo it is $WHERE"],
          remote_folder: bench.path,
        },
        {
          type: "file",
          source: "up.txt",
          destination: bench.at("there.txt"),
        },
        { type: "shell", inline: [`cat ${bench.at("there.txt")}`] },
      ],
    });
    const { code, output } = await bench.baler(["build", "template.json"]);
    assertEquals(code, 0, output);
    assertStringIncludes(output, "enter: it is inside");
    assertStringIncludes(output, "enter: uploaded");
  },
);

forEachHost(
  "the example builder enter refuses an empty command",
  async (bench) => {
    await bench.write("template.json", {
      plugins: {
        builders: { enter: await examplePlugin("baler-builder-enter") },
      },
      builders: [{ type: "enter", enter: [] }],
    });
    const { code, output } = await bench.baler(["validate", "template.json"]);
    assertEquals(code, 1, output);
    assertStringIncludes(output, "must not be empty");
  },
);
