// Where baler finds Packer's plugins, and which of several it takes.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import {
  bundledByPacker,
  isBundledByPacker,
  packerCommand,
} from "../../host/discovery/packer_bundled.ts";
import {
  compareVersions,
  installedPlugins,
} from "../../host/discovery/packer_installed.ts";
import { install, testWithPackers } from "./support.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

const ARCH = Deno.build.arch === "x86_64" ? "amd64" : "arm64";

Deno.test("versions are compared as semver does", () => {
  const sorted = [
    "0.9.0",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.2.0",
    "1.10.0",
  ];
  for (const [index, version] of sorted.entries()) {
    for (const [other, than] of sorted.entries()) {
      const compared = Math.sign(compareVersions(version, than));
      assertEquals(compared, Math.sign(index - other), `${version} ${than}`);
    }
  }
});

Deno.test("installed plugins are those of this platform and protocol, the newest first", async () => {
  const name = (version: string, api = "x5.0", os: string = Deno.build.os) =>
    `github.com/hashicorp/docker/packer-plugin-docker_v${version}_${api}_${os}_${ARCH}`;
  await using dir = await TemporaryDirectory.make(Object.fromEntries(
    [
      name("1.0.9"),
      name("1.1.0"),
      name("1.1.0-dev"),
      name("2.0.0", "x5.1"),
      name("2.0.0", "x4.0"),
      name("2.0.0", "x5.0", "plan9"),
      name("2.0"),
      `packer-plugin-docker_v3.0.0_x5.0_${Deno.build.os}_${ARCH}`,
      "example.org/a/b/c/packer-plugin-deep_v0.1.0_x5.0_" +
      `${Deno.build.os}_${ARCH}`,
    ].map((file) => [file, ""]),
  ));
  assertEquals(
    installedPlugins(dir.path).map(({ name, version, origin }) =>
      `${name} ${version} ${origin}`
    ),
    [
      "docker 1.1.0 github.com/hashicorp/docker",
      "docker 1.1.0-dev github.com/hashicorp/docker",
      "docker 1.0.9 github.com/hashicorp/docker",
      "deep 0.1.0 example.org/a/b/c",
    ],
  );
  assertEquals(installedPlugins(join(dir.path, "nowhere")), []);
});

Deno.test("what Packer serves itself depends on its version", () => {
  const has = (kind: "builder" | "provisioner", name: string) =>
    ["1.6.6", "1.9.4", "1.11.2", "1.16.0"].map((version) =>
      bundledByPacker(kind, version).includes(name)
    );
  assertEquals(has("builder", "file"), [true, true, true, true]);
  assertEquals(has("builder", "docker"), [true, true, false, false]);
  assertEquals(has("builder", "lxc"), [true, false, false, false]);
  assertEquals(has("provisioner", "hcp-sbom"), [false, false, false, true]);
  assertEquals(isBundledByPacker("builder", "custom"), false);
  assertEquals(packerCommand("1.10.3"), "plugin");
  assertEquals(packerCommand("1.11.0"), "execute");
});

/** A plugin of Packer's that describes itself, and no more. */
function describing(version: string, ...builders: string[]): string {
  const description = JSON.stringify({
    version,
    sdk_version: "0.5.0",
    api_version: "x5.0",
    builders,
    provisioners: [],
    post_processors: [],
  });
  return `#!/bin/sh
case "$1" in
describe) echo '${description}' ;;
*) echo "$0 was started: $*" >&2; exit 9 ;;
esac
`;
}

await testWithPackers(
  "installed plugins are found by name, the newest first, and only with the right checksum",
  [],
  async ({ bench, baler }) => {
    const root = join(
      bench.home,
      ".config/packer/plugins/example.org/me/cloud",
    );
    const put = async (version: string, sum?: string) => {
      const path = join(
        root,
        `packer-plugin-cloud_v${version}_x5.0_${Deno.build.os}_${ARCH}`,
      );
      const content = describing(version, "vm", "-packer-default-plugin-name-");
      await bench.write(path, content, { mode: 0o755 });
      const digest = new Uint8Array(
        await crypto.subtle.digest(
          "SHA-256",
          new TextEncoder().encode(content),
        ),
      );
      const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0"));
      await bench.write(`${path}_SHA256SUM`, sum ?? `${hex.join("")}\n`);
      return path;
    };
    const good = await put("1.2.0");
    const tampered = await put("1.10.0", "0".repeat(64));
    for (const type of ["cloud-vm", "cloud"]) {
      await bench.write("template.json", { builders: [{ type }] });
      const ended = await baler(["validate", "template.json"]);
      // The plugin prints how it was started, and fails.
      const component = type === "cloud"
        ? "-packer-default-plugin-name-"
        : "vm";
      assert(
        ended.output.includes(
          `${good} was started: start builder ${component}`,
        ),
        ended.output,
      );
    }
    const listed = await baler(["plugins"]);
    assert(!listed.stdout.includes(tampered), listed.stdout);
    await Deno.remove(good);
    await Deno.remove(`${good}_SHA256SUM`);
    const ended = await baler(["validate", "template.json"]);
    assertMatch(
      ended.output,
      /packer-plugin-cloud_v1\.10\.0_x5\.0_\S+ has the wrong checksum: its SHA-256 sum is [0-9a-f]{64}/,
    );
  },
);

await testWithPackers(
  "Packer's executables are found in Packer's directories, in baler's, and by a path in the template",
  [],
  async ({ bench, env, baler }) => {
    const own = await bench.write(
      "plugins/packer-builder-own",
      describing("1"),
      {
        mode: 0o755,
      },
    );
    const multi = await bench.write(
      "plugins/packer-plugin-multi",
      describing("3.2.1", "one", "two"),
      { mode: 0o755 },
    );
    await bench.write("packer-builder-here", describing("1"), { mode: 0o755 });
    const started = async (
      type: string,
      args: string[] = [],
      more: Record<string, string> = {},
    ) => {
      await bench.write("template.json", { builders: [{ type }] });
      const ended = await baler(["validate", ...args, "template.json"], {
        env: more,
      });
      return ended.output;
    };
    const directory = bench.at("plugins");
    const path = `${env.BALER_PLUGIN_PATH ?? ""}:${directory}`;
    // As for baler's own plugins, the directory of this run must be named.
    assertMatch(await started("here"), /Unknown builder here/);
    // Nor does a relative directory in Packer's variables name it.
    await bench.write(
      ".packer.d/plugins/packer-builder-here",
      describing("1"),
      {
        mode: 0o755,
      },
    );
    for (
      const more of [
        { PACKER_CONFIG_DIR: "." },
        { PACKER_PLUGIN_PATH: "." },
        { HOME: "." },
        { PATH: `.:${env.PATH ?? ""}` },
      ] as Record<string, string>[]
    ) {
      const output = await started("here", [], more);
      assertMatch(output, /Unknown builder here/, JSON.stringify(more));
    }
    assertMatch(
      await started("here", ["-plugin-dir=."]),
      /packer-builder-here was started:/,
    );
    for (
      const [args, more] of [
        [[`-plugin-dir=${directory}`], {}],
        [[], { BALER_PLUGIN_PATH: path }],
        [[], { PACKER_PLUGIN_PATH: directory }],
      ] as const
    ) {
      const output = await started("own", [...args], more);
      assert(output.includes(`${own} was started:`), output);
      const two = await started("multi-two", [...args], more);
      assert(two.includes(`${multi} was started: start builder two`), two);
    }
    assert((await started(own)).includes(`${own} was started:`));
    // A component that the plugin does not have is not searched in other plugins.
    assertMatch(
      await started("multi-three", [`-plugin-dir=${directory}`]),
      /Unknown builder multi-three: no plugin serves it/,
    );
    const listed = await baler(["plugins", `-plugin-dir=${directory}`]);
    assert(
      listed.stdout.includes(`${multi}  (3.2.1, -plugin-dir ${directory})`),
      listed.stdout,
    );
  },
);

await testWithPackers(
  "what baler bundles wins over what Packer bundles, and Packer serves the rest",
  ["packer"],
  async ({ bench, paths: [packer], baler }) => {
    await bench.write("template.json", {
      builders: [{ type: "null", communicator: "none" }],
      provisioners: [{ type: "shell-local", inline: ["true"] }],
    });
    const run = (env = {}) =>
      baler(["build", "template.json"], { env: { BALER_LOG: "1", ...env } });
    const built = await run();
    assertEquals(built.code, 0, built.output);
    assert(!built.stderr.includes("packer plugin"), built.stderr);
    await bench.write("template.json", {
      builders: [{ type: "docker", image: "x", discard: true, imag: 1 }],
    });
    const ended = await run();
    assertMatch(ended.output, /template\.json:\d+:\d+: unknown key "imag"/);
    assert(ended.stderr.includes(`${packer} plugin: builder docker: `));
  },
);

await testWithPackers(
  "an installed plugin wins over what Packer bundles",
  ["packer", "plugin-docker"],
  async ({ bench, paths: [, docker], baler }) => {
    const installed = await install(bench, "plugin-docker", docker!);
    await bench.write("template.json", {
      builders: [{ type: "docker", image: "x", discard: true, imag: 1 }],
    });
    const ended = await baler(["validate", "template.json"], {
      env: { BALER_LOG: "1" },
    });
    assertMatch(ended.output, /unknown key "imag"/);
    assert(ended.stderr.includes(` ${installed}: builder docker: `));
  },
);

Deno.test("without the adapter, the error for a Packer plugin says what to do", async () => {
  const { adaptedPlugin } = await import(
    "../../host/discovery/packer_plugins.ts"
  );
  const plugin = {
    argv: ["/opt/packer-builder-x"],
    label: "/opt/packer-builder-x",
    name: "x",
    source: "here",
  };
  assertMatch(
    adaptedPlugin(plugin, undefined).obstacle!,
    /is a Packer plugin, which needs baler-packer: put that executable next to baler/,
  );
  const adapted = adaptedPlugin(plugin, ["/bin/baler-packer"]);
  assertEquals(adapted.argv, ["/bin/baler-packer", "--serve"]);
  assertEquals(JSON.parse(adapted.request!), {
    argv: ["/opt/packer-builder-x"],
    label: "/opt/packer-builder-x",
    name: "x",
  });
});
