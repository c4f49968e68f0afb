// A machine without the programs that tests compare with: tests are skipped with a reason, and no file is lost.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { NOT_POSIX, skippable } from "./programs.ts";
import { TemporaryDirectory } from "./temporary_directory.ts";

const programs = fromFileUrl(import.meta.resolve("./programs.ts"));

/** What `missing()` and `programVersion()` return where PATH has only this directory. */
async function withPath(path: string, call: string): Promise<unknown> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["eval", "--no-config"],
      `import { missing, programVersion } from ${JSON.stringify(programs)};
       console.log(JSON.stringify(${call} ?? null));`,
    ],
    env: { PATH: path },
  }).output();
  const decoder = new TextDecoder();
  assertEquals(success, true, decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout));
}

Deno.test("missing() names each program that is not installed", async () => {
  await using empty = await TemporaryDirectory.make();
  assertEquals(
    await withPath(empty.path, 'missing("packer", "python3", "jsonschema")'),
    "Packer 1.6.6 is not installed, python3 is not installed, the Python package jsonschema is not installed",
  );
  assertEquals(
    await withPath(empty.path, 'programVersion("packer")'),
    null,
  );
});

Deno.test({
  ...skippable(
    "missing() takes a program of another version, a broken one and a file that is none for missing",
    NOT_POSIX,
  ),
  async fn() {
    await using bin = await TemporaryDirectory.make();
    await bin.script("packer", "echo Packer v1.11.2");
    await bin.script("fish", "exit 3");
    await bin.write("zsh", "no program", 0o644);
    const reason = await withPath(
      bin.path,
      'missing("packer", "fish", "zsh")',
    ) as string;
    assertStringIncludes(reason, "Packer 1.6.6 is not installed");
    assertStringIncludes(reason, "fish does not run here");
    assertStringIncludes(reason, "zsh is not installed");
    await bin.script("packer", "echo Packer v1.6.6");
    assertEquals(await withPath(bin.path, 'missing("packer")'), null);
    assertEquals(
      await withPath(bin.path, 'programVersion("packer")'),
      "1.6.6",
    );
  },
});

Deno.test("skippable() shows the reason in the name of the test", () => {
  assertEquals(skippable("it works", undefined), {
    name: "it works",
    ignore: false,
  });
  assertEquals(skippable("it works", "needs Linux"), {
    name: "it works (skipped: needs Linux)",
    ignore: true,
  });
});
