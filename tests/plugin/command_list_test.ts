// A plugin that a command starts: words of the command that begin with ./ or ../ are paths from the file that has them, whatever directory baler is started in.

import { assertStringIncludes } from "@std/assert";
import { forEachHost } from "../support/harness.ts";

const script = (text: string) => `#!/bin/sh\necho "started: ${text}" >&2\n`;

/** What baler shows of a plugin that is a script, and so is not one. */
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
  "a plugin's object form takes such words, too",
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
