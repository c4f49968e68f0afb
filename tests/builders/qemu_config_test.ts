// The configuration of the qemu builder: what `validate` refuses, and where.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { forEachHost } from "../support/harness.ts";
import { REFUSED, VALID } from "./qemu_refusals.ts";
import { writeQemuTemplate } from "./qemu_workspace.ts";

forEachHost(
  "qemu's validate refuses each wrong option at its place",
  async (workspace) => {
    for (const [options, words, at] of REFUSED) {
      await writeQemuTemplate(workspace, { ...VALID, ...options });
      const text = await workspace.read("template.json");
      const { code, output } = await workspace.baler([
        "validate",
        "template.json",
      ]);
      assertEquals(code, 1, JSON.stringify(options));
      assertStringIncludes(output, words, JSON.stringify(options));
      const [, line] = /template\.json:(\d+):\d+/.exec(output) ?? [];
      assert(line, output);
      assertStringIncludes(
        text.split("\n")[Number(line) - 1]!,
        at,
        `${JSON.stringify(options)}\n${output}`,
      );
    }
  },
  { only: "source", limitMs: 300_000 },
);

forEachHost(
  "qemu's validate refuses an output directory that exists, and warns of what is risky",
  async (workspace) => {
    await writeQemuTemplate(workspace, {
      ...VALID,
      iso_checksum: "none",
      shutdown_command: "",
      memory: 4,
    });
    const { stdout, stderr } = await workspace.succeeds([
      "validate",
      "template.json",
    ]);
    const output = stdout + stderr;
    assertStringIncludes(output, "A checksum of 'none' was specified");
    assertStringIncludes(output, "A shutdown_command was not specified");
    assertStringIncludes(output, "memory is 4 MiB; the machine gets 512");
    await Deno.mkdir(workspace.at("output-qemu"));
    const refused = await workspace.baler(["validate", "template.json"]);
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.output, "output-qemu exists");
  },
  { only: "source" },
);
