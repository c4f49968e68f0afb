// docs/packer-plugins.md: every line of shell in it is run, and shows what the
// page says it does.

import { assert, assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { debianPacker, peer } from "../peers/peers.ts";
import { NOT_LINUX, skippable } from "../support/programs.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

const root = fromFileUrl(new URL("../../", import.meta.url)).replace(/\/$/, "");

const [newest, oldest] = await Promise.all([
  peer("packer-1.16"),
  debianPacker(),
]);

/** The blocks of the page, in order, each with the heading above it. */
function blocks(page: string) {
  const found: { heading: string; language: string; text: string }[] = [];
  let heading = "";
  for (const match of page.matchAll(/^## (.*)$|^```(\w+)\n([^]*?)^```$/gm)) {
    const [, title, language, text] = match;
    if (title !== undefined) heading = title;
    else found.push({ heading, language: language!, text: text! });
  }
  return found;
}

/** Without times, and without what differs from machine to machine. */
function comparable(text: string): string[] {
  return text.split("\n").map((line) =>
    line.trimEnd().replace(/\d+ (milli|micro)?seconds?( \d+ \w+)?/g, "TIME")
      .replaceAll(/(linux|darwin)_(amd64|arm64)/g, "PLATFORM")
  ).filter((line) => line !== "");
}

Deno.test({
  ...skippable(
    "docs/packer-plugins.md does what it says",
    NOT_LINUX ?? newest.missing ?? oldest.missing,
  ),
  async fn() {
    const page = await Deno.readTextFile(join(root, "docs/packer-plugins.md"));
    await using directory = await TemporaryDirectory.make();
    const { path } = directory;
    // A clone: what is compiled has no way out of it by a symbolic link.
    await Deno.mkdir(join(path, "baler"));
    for await (const { name } of Deno.readDir(root)) {
      if ([".git", "dist", "tests"].includes(name)) continue;
      const { success } = await new Deno.Command("cp", {
        args: ["-r", join(root, name), join(path, "baler", name)],
      }).output();
      assert(success);
    }
    await Deno.mkdir(join(path, "bin"));
    await Deno.symlink(Deno.execPath(), join(path, "bin/deno"));
    const home = join(path, "home");
    await Deno.mkdir(home);
    // One shell runs them all, and shows where each block begins.
    const parts = blocks(page);
    const shell = parts.filter(({ language }) => language === "sh");
    assertEquals(shell.length, 7);
    const script = shell.map(({ heading, text }, index) =>
      `echo "--- ${index}"\n${
        heading.includes("1.6")
          ? `export PATH="${dirname(oldest.path!)}:$PATH"\n`
          : ""
      }${text}`
    ).join("\n");
    const { code, stdout, stderr } = await new Deno.Command("sh", {
      args: ["-e", "-c", script],
      cwd: path,
      clearEnv: true,
      env: {
        PATH: `${path}/bin:${dirname(newest.path!)}:/usr/bin:/bin`,
        HOME: home,
        LC_ALL: "C.UTF-8",
        CHECKPOINT_DISABLE: "1",
        XDG_CACHE_HOME: Deno.env.get("XDG_CACHE_HOME") ??
          `${Deno.env.get("HOME")}/.cache`,
        npm_config_cache: Deno.env.get("npm_config_cache") ??
          `${Deno.env.get("HOME")}/.npm`,
      },
    }).output();
    const output = new TextDecoder().decode(stdout);
    assertEquals(code, 0, output + new TextDecoder().decode(stderr));
    const shown = output.split(/^--- \d+\n/m).slice(1);
    assertEquals(shown.length, shell.length);
    let index = -1;
    for (const { language, text } of parts) {
      if (language === "sh") index++;
      if (language !== "console") continue;
      const lines = comparable(shown[index]!);
      for (const line of comparable(text)) {
        assert(lines.includes(line), `"${line}" is not in:\n${shown[index]}`);
      }
    }
    // The block for Packer 1.6 shows no console.
    assert(shown.at(-1)!.includes("==> hello: Greeting Ada"), shown.at(-1));
  },
});
