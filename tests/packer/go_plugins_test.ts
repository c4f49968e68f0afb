// Packer's Go plugins run under baler, mixed with baler's own: their data exchange and their output.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { ofPacker, testWithPackers } from "./support.ts";

await testWithPackers(
  "a Go builder, TypeScript and Go provisioners and post-processors make one build",
  ["packer"],
  async ({ bench, paths: [packer], builds }) => {
    const { stdout } = await builds({
      variables: { greeting: "hello" },
      plugins: {
        builders: { gofile: ofPacker(packer!, "builder", "file") },
        provisioners: {
          golocal: ofPacker(packer!, "provisioner", "shell-local"),
        },
        "post-processors": {
          gosum: ofPacker(packer!, "post-processor", "checksum"),
        },
      },
      builders: [{
        type: "gofile",
        name: "web",
        content: "{{user `greeting`}} from {{build_name}}",
        target: "out.txt",
      }],
      provisioners: [
        { type: "golocal", inline: ["echo go ${PACKER_BUILD_NAME}"] },
        { type: "shell-local", inline: ["echo ts ${PACKER_BUILD_NAME}"] },
        {
          type: "golocal",
          // Numbers of a template are floats in Go.
          valid_exit_codes: [0, 3],
          inline: ["exit 3"],
        },
      ],
      "post-processors": [[
        { type: "gosum", checksum_types: ["sha256"], output: "sum.txt" },
        { type: "manifest", output: "manifest.json" },
      ]],
    });
    assertEquals(await bench.read("out.txt"), "hello from web");
    assertMatch(stdout, /web: go web\n[^]*web: ts web\n/);
    const manifest = JSON.parse(await bench.read("manifest.json"));
    assertEquals(
      manifest.builds[0].files.map(({ name }: { name: string }) => name),
      ["out.txt", "sum.txt"],
    );
    assertMatch(await bench.read("sum.txt"), /^[0-9a-f]{64}\tout.txt/);
  },
);

await testWithPackers(
  "what a Go plugin logs is tagged with its command, and sensitive values are hidden in it",
  ["packer"],
  async ({ bench, paths: [packer], baler }) => {
    await bench.write("template.json", {
      variables: { password: "tr0ub4dor" },
      "sensitive-variables": ["password"],
      plugins: {
        builders: { gonull: ofPacker(packer!, "builder", "null") },
        provisioners: {
          golocal: ofPacker(packer!, "provisioner", "shell-local"),
        },
      },
      builders: [{ type: "gonull", communicator: "none" }],
      provisioners: [{
        type: "golocal",
        inline: ["echo it is {{user `password`}}"],
      }],
    });
    const ended = await baler(["build", "template.json"], {
      env: { BALER_LOG: "1" },
    });
    assertEquals(ended.code, 0, ended.output);
    const tag = ofPacker(packer!, "provisioner", "shell-local").join(" ");
    assert(ended.stderr.includes(` ${tag}: `), ended.stderr);
    assert(ended.stdout.includes("it is <sensitive>"), ended.stdout);
    assert(!ended.output.includes("tr0ub4dor"), ended.output);
  },
);

await testWithPackers(
  "what a Go plugin finds wrong in its configuration has its place in the template",
  ["packer"],
  async ({ bench, paths: [packer], baler }) => {
    await bench.write(
      "template.json",
      `{
  "plugins": {
    "builders": {"gofile": ${
        JSON.stringify(ofPacker(packer!, "builder", "file"))
      }},
    "provisioners": {"goshell": ${
        JSON.stringify(ofPacker(packer!, "provisioner", "shell"))
      }}
  },
  "builders": [{
    "type": "gofile",
    "target": "x",
    "contents": "y"
  }],
  "provisioners": [{
    "type": "goshell",
    "script": "missing.sh",
    "environment_vars": ["nothing"]
  }]
}`,
    );
    const ended = await baler(["validate", "template.json"]);
    assertEquals(ended.code, 1);
    assertMatch(ended.output, /template\.json:9:5: unknown key "contents"/);
    assertMatch(
      ended.output,
      /template\.json:\d+:\d+: Bad script 'missing.sh'/,
    );
    assertMatch(
      ended.output,
      /Environment variable not in format 'key=value': nothing/,
    );
  },
);

await testWithPackers(
  "a Go provisioner works on the machine of a TypeScript builder, and 64 MiB cross both ways unchanged",
  ["packer"],
  async ({ bench, paths: [packer], builds }) => {
    const content = new Uint8Array(64 * 1024 * 1024);
    for (let at = 0; at < content.length; at += 65536) {
      crypto.getRandomValues(content.subarray(at, at + 65536));
    }
    await bench.write("big", content);
    await builds({
      plugins: {
        provisioners: {
          gofile: ofPacker(packer!, "provisioner", "file"),
          goshell: ofPacker(packer!, "provisioner", "shell"),
        },
      },
      builders: [{ type: "null", communicator: "local" }],
      provisioners: [
        { type: "gofile", source: "big", destination: bench.at("up") },
        {
          type: "gofile",
          source: bench.at("up"),
          destination: bench.at("down"),
          direction: "download",
        },
        {
          type: "goshell",
          remote_folder: bench.path,
          inline: [`echo "$PACKER_BUILDER_TYPE" > ${bench.at("said")}`],
        },
      ],
    });
    for (const name of ["up", "down"]) {
      assertEquals(await sha256(bench.at(name)), await sha256(bench.at("big")));
    }
    assertEquals(await bench.read("said"), "null\n");
  },
);

await testWithPackers(
  "a thousand lines of a Go provisioner stay in order",
  ["packer"],
  async ({ paths: [packer], builds }) => {
    const { stdout } = await builds({
      plugins: {
        provisioners: {
          golocal: ofPacker(packer!, "provisioner", "shell-local"),
        },
      },
      builders: [{ type: "null", communicator: "none" }],
      provisioners: [{
        type: "golocal",
        inline: ["for i in $(seq 1000); do echo line $i; done"],
      }],
    });
    assertEquals(
      [...stdout.matchAll(/line (\d+)/g)].map(([, number]) => Number(number)),
      Array.from({ length: 1000 }, (_, index) => index + 1),
    );
  },
);

await testWithPackers(
  "a Go builder without a communicator has none, instead of one that crashes",
  ["packer"],
  async ({ bench, paths: [packer], baler }) => {
    await bench.write("template.json", {
      plugins: { builders: { gonull: ofPacker(packer!, "builder", "null") } },
      builders: [{ type: "gonull", communicator: "none" }],
      provisioners: [{ type: "shell", inline: ["true"] }],
    });
    const ended = await baler(["build", "template.json"]);
    assertEquals(ended.code, 1);
    assertMatch(ended.output, /the builder has no communicator/);
  },
);

await testWithPackers(
  "values that a Go builder publishes reach provisioners and post-processors of both kinds",
  ["packer"],
  async ({ paths: [packer], builds }) => {
    const { stdout } = await builds({
      plugins: {
        builders: { gonull: ofPacker(packer!, "builder", "null") },
        provisioners: {
          golocal: ofPacker(packer!, "provisioner", "shell-local"),
        },
        "post-processors": {
          golocal: ofPacker(packer!, "post-processor", "shell-local"),
        },
      },
      builders: [{ type: "gonull", communicator: "none" }],
      provisioners: ["golocal", "shell-local"].map((type) => ({
        type,
        inline: ["echo prov {{build `ID`}} {{build `PackerRunUUID`}}."],
      })),
      "post-processors": ["golocal", "shell-local"].map((type) => ({
        type,
        inline: ["echo post {{build `ID`}}."],
      })),
    });
    const lines = [...stdout.matchAll(/: ((?:prov|post) .*)/g)]
      .map(([, line]) => line!);
    assertEquals(lines.length, 4, stdout);
    const [prov, post, ...others] = [...new Set(lines)];
    assertMatch(prov!, /^prov Null [0-9a-f-]{36}\.$/);
    assertEquals([post, ...others], ["post Null."]);
  },
);

await testWithPackers(
  "the error-cleanup provisioner runs when a provisioner under a Go builder fails",
  ["packer"],
  async ({ bench, paths: [packer], baler }) => {
    await bench.write("template.json", {
      plugins: {
        builders: { gonull: ofPacker(packer!, "builder", "null") },
        provisioners: {
          golocal: ofPacker(packer!, "provisioner", "shell-local"),
        },
      },
      builders: [{ type: "gonull", communicator: "none" }],
      provisioners: [{ type: "golocal", inline: ["exit 7"] }],
      "error-cleanup-provisioner": {
        type: "golocal",
        inline: ["echo cleaned > cleaned"],
      },
    });
    const ended = await baler(["build", "template.json"]);
    assertEquals(ended.code, 1);
    assertMatch(ended.output, /exit(ed with)? (non-zero exit )?status:? 7/);
    assertEquals(await bench.read("cleaned"), "cleaned\n");
  },
);

async function sha256(path: string): Promise<string> {
  const { stdout } = await new Deno.Command("sha256sum", { args: [path] })
    .output();
  return new TextDecoder().decode(stdout).split(" ")[0]!;
}

for (
  const [name, command] of [
    ["packer-1.9", "plugin"],
    ["packer-1.11", "execute"],
    ["packer-1.16", "execute"],
  ] as const
) {
  await testWithPackers(
    `${name} on PATH serves what it has, and so builds what baler does not bundle`,
    [name],
    async ({ bench, paths: [packer], env, baler }) => {
      await Deno.mkdir(bench.at("bin"));
      await Deno.symlink(packer!, bench.at("bin", "packer"));
      const PATH = `${bench.at("bin")}:${bench.env.PATH}`;
      const self = (kind: string, component: string) => [
        packer!,
        command,
        `packer-${kind}-${component}`,
      ];
      await bench.write("template.json", {
        plugins: {
          builders: { gofile: self("builder", "file") },
          provisioners: { golocal: self("provisioner", "shell-local") },
          "post-processors": { gosum: self("post-processor", "checksum") },
        },
        builders: [{ type: "gofile", content: "x", target: "out.txt" }],
        provisioners: [{ type: "golocal", inline: ["echo hi > said"] }],
        "post-processors": [{
          type: "gosum",
          checksum_types: ["md5"],
          output: "sum",
        }],
      });
      const built = await baler(["build", "template.json"]);
      assertEquals(built.code, 0, built.output);
      assertEquals(await bench.read("said"), "hi\n");
      assertMatch(await bench.read("sum"), /^[0-9a-f]{32}\tout.txt/);
      const listed = await bench.succeeds(["plugins"], {
        env: { ...env, PATH },
      });
      const shown = `${join(bench.at("bin"), "packer")} ${command}  (Packer 1.`;
      assert(listed.stdout.includes(shown), listed.stdout);
      // What baler bundles wins.
      assertMatch(
        listed.stdout,
        /file +baler-builder-file +\(bundled\)\n +instead of .*packer/,
      );
    },
  );
}
