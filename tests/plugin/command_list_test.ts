// A plugin that a command starts: arguments that begin with ./ or ../ are paths relative to the file that contains them, not to the working directory.

import { assertStringIncludes } from "@std/assert";
import { forEachHost } from "../support/harness.ts";

const script = (text: string) => `#!/bin/sh\necho "started: ${text}" >&2\n`;

/** Returns the output of baler for a plugin that is a shell script. */
const STARTED = "started: the right one";

for (
  const [where, command] of [
    ["template", ["sh", "./plugin.sh"]],
    ["template", ["sh", "../templates/plugin.sh"]],
    ["core configuration", ["sh", "./plugin.sh"]],
  ] as const
) {
  forEachHost(
    `words like ${command[1]} in a ${where} are paths from that file`,
    async (bench) => {
      const table = {
        builders: {
          one: command,
        },
      };
      const inTemplate = where === "template";
      await bench.write("templates/template.json", {
        ...inTemplate ? { plugins: table } : {},
        builders: [{ type: "one" }],
      });
      await bench.write("config/config.json", inTemplate ? {} : table);
      const directory = inTemplate ? "templates" : "config";
      await bench.write(`${directory}/plugin.sh`, script("the right one"));
      await bench.write("plugin.sh", script("another"));
      const { output } = await bench.baler(
        ["build", "templates/template.json"],
        {
          env: { BALER_CONFIG: bench.at("config/config.json") },
        },
      );
      assertStringIncludes(output, STARTED);
    },
    { ignore: Deno.build.os === "windows" && "it needs a POSIX shell" },
  );
}

forEachHost(
  "the object form of a plugin accepts such arguments too",
  async (bench) => {
    await bench.write("templates/template.json", {
      builders: { one: ["sh", "./plugin.sh"] },
    });
    await bench.write("templates/plugin.sh", script("the right one"));
    const { output } = await bench.baler(["build", "templates/template.json"]);
    assertStringIncludes(output, STARTED);
  },
  { ignore: Deno.build.os === "windows" && "it needs a POSIX shell" },
);
