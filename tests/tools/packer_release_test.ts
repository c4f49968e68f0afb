// deno task compile --packer: names, permissions, and the files of a release.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createHash } from "node:crypto";
import { basename, dirname, fromFileUrl, join } from "@std/path";
import { compile } from "../../tools/compile.ts";
import { compileForPacker, packerName } from "../../tools/packer_release.ts";
import { withPermissions } from "../../tools/permissions.ts";
import { missing, skippable } from "../support/programs.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

const root = dirname(dirname(fromFileUrl(new URL(".", import.meta.url))));

Deno.test("packerName() is the directory's name without the prefix of an executable", () => {
  for (
    const [directory, name] of [
      ["hello", "hello"],
      ["packer-plugin-hello", "hello"],
      ["baler-builder-custom-cloud", "custom-cloud"],
      ["baler-post-processor-x", "x"],
      ["baler-greet-and-sign", "greet-and-sign"],
    ]
  ) assertEquals(packerName(directory!), name);
  for (
    const directory of [
      "Hello",
      "my_plugin",
      "a--b",
      "packer-x",
      "x.y",
      "",
      "-a",
    ]
  ) {
    assertThrows(
      () => packerName(directory),
      TypeError,
      "Packer accepts no plugin",
    );
  }
});

Deno.test("withPermissions() adds to lists, and nothing to what is granted as a whole", () => {
  const more = { net: ["127.0.0.1"], env: ["A"] };
  for (
    const [own, joined] of [
      [{}, more],
      [{ net: true, env: ["B"] }, { net: true, env: ["B", "A"] }],
      [{ net: false, read: true }, {
        net: ["127.0.0.1"],
        env: ["A"],
        read: true,
      }],
      [{ net: { allow: ["x"], deny: ["y"] } }, {
        net: { allow: ["x", "127.0.0.1"], deny: ["y"] },
        env: ["A"],
      }],
      [{ env: { allow: true, deny: ["S"] } }, {
        net: ["127.0.0.1"],
        env: { allow: true, deny: ["S"] },
      }],
    ] as const
  ) {
    assertEquals(withPermissions(own, more), joined);
  }
  assertEquals(withPermissions("x", more), "x");
});

/** A plugin's directory next to this repository's library. */
async function pluginIn(
  { path }: TemporaryDirectory,
  version: string | undefined,
): Promise<string> {
  const directory = join(path, "packer-plugin-hello");
  await Deno.mkdir(directory);
  await Deno.writeTextFile(
    join(directory, "deno.json"),
    JSON.stringify({
      links: [root],
      imports: { "@baler/baler": "jsr:@baler/baler@^0.1.0" },
      compile: { permissions: {} },
    }),
  );
  await Deno.writeTextFile(
    join(directory, "main.ts"),
    `import { serveProvisioner } from "@baler/baler";
serveProvisioner({ prepare() {}, provision() {} }, ${
      JSON.stringify({ version })
    });
`,
  );
  return directory;
}

Deno.test({
  ...skippable(
    "compileForPacker() makes what Packer installs and downloads",
    missing("python3"),
  ),
  async fn() {
    await using directory = await TemporaryDirectory.make();
    const plugin = await pluginIn(directory, "1.2.3");
    const out = join(directory.path, "out");
    const [release] = await compileForPacker(plugin, {
      out,
      compile,
      say() {},
    });
    const { executable, checksum, zip } = release!;
    const arch = Deno.build.arch === "x86_64" ? "amd64" : "arm64";
    const name = `packer-plugin-hello_v1.2.3_x5.0_${Deno.build.os}_${arch}`;
    assertEquals(basename(executable), name);
    const sha256 = async (path: string) =>
      createHash("sha256").update(await Deno.readFile(path)).digest("hex");
    const sum = await sha256(executable);
    assertEquals((await Deno.readTextFile(checksum)).trim(), sum);
    assertEquals(
      await Deno.readTextFile(
        join(out, "packer-plugin-hello_v1.2.3_SHA256SUMS"),
      ),
      `${await sha256(zip)}  ${name}.zip\n`,
    );
    // Nothing else, here and in the plugin's directory.
    assertEquals([...Deno.readDirSync(out)].length, 4);
    const { stdout } = await new Deno.Command("python3", {
      args: [
        "-c",
        "import sys, zipfile, hashlib; z = zipfile.ZipFile(sys.argv[1]); i, = z.infolist(); print(i.filename, oct(i.external_attr >> 16 & 0o777), hashlib.sha256(z.read(i)).hexdigest())",
        zip,
      ],
    }).output();
    assertEquals(
      new TextDecoder().decode(stdout).trim(),
      `${name} 0o755 ${sum}`,
    );
    const described = JSON.parse(
      new TextDecoder().decode(
        (await new Deno.Command(executable, { args: ["describe"] }).output())
          .stdout,
      ),
    );
    assertEquals(
      [
        described.version,
        described.api_version,
        described.protocol_version,
        described.provisioners,
        described.builders,
      ],
      ["1.2.3", "x5.0", "v2", ["-packer-default-plugin-name-"], []],
    );
    assertEquals(described.permissions.net, ["127.0.0.1"]);
  },
});

Deno.test("compileForPacker() refuses a version that is none, and leaves nothing", async () => {
  await using directory = await TemporaryDirectory.make();
  const plugin = await pluginIn(directory, "one");
  await assertRejects(
    () => compileForPacker(plugin, { compile, say() {} }),
    TypeError,
    'no version "one"',
  );
  const left = [...Deno.readDirSync(plugin)].map(({ name }) => name).sort();
  assertEquals(left.filter((name) => name !== "deno.lock"), [
    "deno.json",
    "main.ts",
  ]);
});
