// The example builder implements the flags of a builder: it cleans up according to -on-error, runs the error-cleanup provisioner, and pauses under -debug.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  examplePlugin,
  forEachHost,
  type Workspace,
} from "../support/harness.ts";

/** Builds with provisioners that fail; returns the output and the files that are left of the machine. */
async function failedBuild(bench: Workspace, args: readonly string[]) {
  const shellLocal = (inline: string) => ({
    type: "shell-local",
    inline: [inline],
  });
  await bench.write("template.json", {
    plugins: {
      builders: {
        cloud: await examplePlugin("baler-builder-custom-cloud"),
      },
    },
    builders: [{ type: "cloud" }],
    provisioners: [shellLocal("ls images > seen; false")],
    "error-cleanup-provisioner": shellLocal("ls images > cleanup"),
  });
  const { code, output } = await bench.baler([
    "build",
    ...args,
    "template.json",
  ], { stdin: "a\n" });
  assertEquals(code, 1, output);
  const read = (name: string) => bench.read(name).catch(() => "");
  const isMachine = (text: string) => /^img-[0-9a-f]{8}\.machine\n$/.test(text);
  assert(isMachine(await read("seen")), output);
  const left = await bench.names("images");
  return {
    output,
    hasMachine: isMachine(`${left.join("\n")}\n`),
    hasCleanedUp: isMachine(await read("cleanup")),
  };
}

for (
  const [value, hasMachine, hasCleanedUp, line] of [
    ["cleanup", false, true, "exited with non-zero exit status: 1"],
    [
      "abort",
      true,
      false,
      'aborted: skipping cleanup of step "StartMachine"',
    ],
    [
      "run-cleanup-provisioner",
      true,
      true,
      'aborted: skipping cleanup of step "StartMachine"',
    ],
    ["ask", true, false, "[a] abort without cleanup"],
  ] as const
) {
  forEachHost(`the example builder under -on-error=${value}`, async (bench) => {
    const build = await failedBuild(bench, [`-on-error=${value}`]);
    assertEquals(build.hasMachine, hasMachine, build.output);
    assertEquals(build.hasCleanedUp, hasCleanedUp, build.output);
    assertStringIncludes(build.output, line);
  });
}

forEachHost("the example builder pauses under -debug", async (bench) => {
  const { output } = await failedBuild(bench, ["-debug"]);
  assertStringIncludes(output, "Pausing after run of step 'StartMachine'");
});
