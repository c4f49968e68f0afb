// Files whose names are not UTF-8, which no string can name, are copied or
// refused, and never left out.

import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import Artifice from "../../plugin/bundled/post_processors/artifice.ts";
import { LocalCommunicator } from "../../plugin/builder/communicators/local.ts";
import { processed } from "../support/post_processor_program.ts";

/** macOS has no such names, and Windows no such shell. */
import { TemporaryDirectory } from "../support/temporary_directory.ts";

const ignore = Deno.build.os !== "linux";

async function sh(dir: string, script: string): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command("/bin/sh", {
    args: ["-c", script],
    cwd: dir,
    env: { LC_ALL: "C" },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder("latin1").decode(stdout);
}

const MAKE = `
mkdir -p src/sub dst
cd src
echo a >"$(printf 'caf\\351')"
chmod 640 "$(printf 'caf\\351')"
echo b >'caf\u00e9'
echo c >sub/"$(printf 'new\\nline \\377\\376')"
mkdir "$(printf 'dir\\200')"
echo d >"$(printf 'dir\\200')"/inside
echo e >"$(printf 'dir\\200')"/"$(printf 'in\\201')"
ln -s "$(printf 'caf\\351')" "$(printf 'link\\202')"
echo f >"$(printf '%s' '-n\\303')"
echo g >'replacement \uFFFD'
`;

Deno.test({
  name: "uploadDir() and downloadDir() copy names that are not UTF-8",
  ignore,
  async fn() {
    await using dir = await TemporaryDirectory.make();
    await sh(dir.path, MAKE);
    await using local = new LocalCommunicator({ workingDirectory: dir.path });
    await local.uploadDir({ source: "src/", destination: "dst" });
    // Once more over what is there.
    await local.uploadDir({ source: "src/", destination: "dst" });
    await local.downloadDir({
      source: "src",
      destination: join(dir.path, "got"),
    });
    for (const copy of ["dst", "got/src"]) {
      assertEquals(
        await sh(dir.path, `diff -r src ${copy} && echo same`),
        "same\n",
      );
      const list = (of: string) =>
        sh(dir.path, `cd ${of} && find . -printf '%p %m %l\\n' | sort`);
      assertEquals(await list(copy), await list("src"));
    }
  },
});

Deno.test({
  name:
    "uploadDir() leaves out what is below an excluded directory, whatever its name",
  ignore,
  async fn() {
    await using dir = await TemporaryDirectory.make();
    await sh(dir.path, MAKE);
    await using local = new LocalCommunicator({ workingDirectory: dir.path });
    await local.uploadDir({
      source: "src/",
      destination: "dst",
      exclude: ["sub"],
    });
    assertEquals(await sh(dir.path, "ls dst | grep -c sub || true"), "0\n");
  },
});

Deno.test({
  name:
    "a name that is not UTF-8 and cannot be copied is an error that shows it",
  ignore,
  async fn() {
    await using dir = await TemporaryDirectory.make();
    await sh(
      dir.path,
      `mkdir src; cd src; echo a >"$(printf 'caf\\351')"; mkdir -p ../dst/"$(printf 'caf\\351')"/x`,
    );
    await using local = new LocalCommunicator({ workingDirectory: dir.path });
    await assertRejects(
      () => local.uploadDir({ source: "src/", destination: "dst" }),
      Error,
      "src/caf\\xe9, whose name is not UTF-8",
    );
  },
});

Deno.test({
  name: "a pattern that matches a name that is not UTF-8 is an error",
  ignore,
  async fn() {
    await using dir = await TemporaryDirectory.make();
    await sh(
      dir.path,
      `mkdir out; cd out; echo a >"$(printf 'caf\\351.img')"; echo b >b.img`,
    );
    await using local = new LocalCommunicator({ workingDirectory: dir.path });
    await assertRejects(
      () => local.downloadDir({ source: "out/*.img", destination: "got" }),
      Error,
      '"out/*.img" matches out/caf\\xe9.img, whose name is not UTF-8',
    );
    const run = (files: string[]) =>
      processed(new Artifice(), { dir: dir.path, config: { files } });
    await assertRejects(() => run(["out/*"]), Error, "whose name is not UTF-8");
    await assertRejects(() => run(["out/caf?.img"]), Error, "out/caf\\xe9.img");
    assertEquals((await run(["out/b*"])).artifact.files, ["out/b.img"]);
  },
});
