// README.md is right: its first plugin works when its commands are run one after the other, and its snippets type-check.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join, relative, resolve } from "@std/path";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

const root = resolve(import.meta.dirname!, "..", "..");
const readme = await Deno.readTextFile(join(root, "README.md"));

/** The code blocks of a language in a part of the README. */
function blocks(language: string, text = readme): string[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm");
  return [...text.matchAll(pattern)].map((match) => match[1]!);
}

function section(title: string): string {
  const start = readme.indexOf(`\n## ${title}\n`);
  assert(start >= 0, title);
  const end = readme.indexOf("\n## ", start + 1);
  return readme.slice(start, end === -1 ? undefined : end);
}

Deno.test({
  name: "the commands of README's first plugin build it and run it",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using directory = await TemporaryDirectory.make();
    // The clone is not next to the plugin's directory here.
    const hello = join(directory.path, "hello");
    const commands = blocks("sh", section("Your first plugin")).map((text) =>
      text.replaceAll("../baler", relative(hello, root))
        .replaceAll("../hello", hello)
        .replaceAll(/\bbaler\/dist/g, join(root, "dist"))
        .replaceAll("(cd baler &&", `(cd ${root} &&`)
    );
    assert(commands.length >= 5, `${commands.length} blocks`);
    // A command list in the template finds the Deno that runs this.
    const bin = join(directory.path, "bin");
    await Deno.mkdir(bin);
    await Deno.symlink(Deno.execPath(), join(bin, "deno"));
    const { code, stdout, stderr } = await new Deno.Command("sh", {
      args: ["-euc", commands.join("\n")],
      cwd: directory.path,
      env: {
        NO_COLOR: "1",
        PATH: `${bin}:${Deno.env.get("PATH")}`,
      },
    }).output();
    const output = new TextDecoder().decode(stdout) +
      new TextDecoder().decode(stderr);
    assertEquals(code, 0, output);
    // From the compiled plugin, and then from its source.
    assertStringIncludes(output, "==> hello: Greeting Ada");
    assertStringIncludes(output, "--> hello: A greeting in hello.txt");
    assertStringIncludes(output, "Hello, Ada!");
    assertStringIncludes(output, "==> hello: Greeting world");
    // The tests of the plugin that `deno task new` makes.
    assertStringIncludes(output, "the builder writes the file");
    assertStringIncludes(output, "ok | 5 passed | 0 failed");
    assertEquals(
      await Deno.readTextFile(join(directory.path, "hello.txt")),
      "Hello, world!\n",
    );
  },
});

Deno.test("the snippets of README type-check", async () => {
  await using directory = await TemporaryDirectory.make();
  const snippets = blocks("ts ignore").filter((code) =>
    code.includes("@baler/baler")
  );
  assertEquals(snippets.length, 3);
  await Deno.writeTextFile(
    join(directory.path, "deno.json"),
    JSON.stringify({
      links: [relative(directory.path, root)],
      imports: { "@baler/baler": "jsr:@baler/baler@^0.1.0" },
    }),
  );
  const names = await Promise.all(snippets.map(async (code, index) => {
    const name = `snippet_${index}.ts`;
    await Deno.writeTextFile(
      join(directory.path, name),
      code.includes("apply(image)")
        ? `declare const image: Uint8Array;\n${code}`
        : code,
    );
    return name;
  }));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", ...names],
    cwd: directory.path,
    env: { NO_COLOR: "1" },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
});
