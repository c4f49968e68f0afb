// A plugin's executable and its path in a JSON file are enough for a build.

import { createHmac } from "node:crypto";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { dirname, join } from "@std/path";
import {
  examplePlugin,
  fixturePlugin,
  forEachHost,
  type Workspace,
} from "../support/harness.ts";

const CUSTOM_CLOUD = "baler-builder-custom-cloud";
const byType = { builders: [{ type: "custom-cloud" }] };

async function assertBuilt(
  bench: Workspace,
  name = "custom-cloud",
  region = "north-1",
) {
  const image = JSON.parse(await bench.read(`images/${name}.json`));
  assertMatch(image.id, /^img-[0-9a-f]{8}$/);
  assertEquals(image.region, region);
}

forEachHost(
  "a template can consist of a builder's name and the path of its plugin",
  async (bench) => {
    const plugin = await examplePlugin(CUSTOM_CLOUD);
    const { stdout } = await bench.builds({
      builders: { "custom-cloud": plugin },
    });
    await assertBuilt(bench);
    assertStringIncludes(
      stdout,
      "==> custom-cloud: Starting a machine in north-1...",
    );
    assertMatch(
      stdout,
      /^--> custom-cloud: Image img-[0-9a-f]{8} in north-1: images\/custom-cloud\.json$/m,
    );
  },
);

forEachHost(
  "a builder in such a template can have a configuration",
  async (bench) => {
    const plugin = await examplePlugin(CUSTOM_CLOUD);
    await bench.builds({
      builders: { here: { plugin, region: "south-2" }, there: plugin },
    });
    await assertBuilt(bench, "here", "south-2");
    await assertBuilt(bench, "there");
  },
);

forEachHost(
  "the same file is a core configuration when BALER_CONFIG names it",
  async (bench) => {
    const plugin = await examplePlugin(CUSTOM_CLOUD);
    const config = await bench.write("elsewhere/core.json", {
      builders: { "custom-cloud": plugin },
    });
    await bench.builds(byType, [], { env: { BALER_CONFIG: config } });
    await assertBuilt(bench);
  },
);

forEachHost(
  "PACKER_CONFIG is used when BALER_CONFIG is not set",
  async (bench) => {
    const plugin = await examplePlugin(CUSTOM_CLOUD);
    const config = await bench.write("elsewhere/core.json", {
      builders: { "custom-cloud": plugin },
    });
    await bench.builds(byType, [], { env: { PACKER_CONFIG: config } });
    await assertBuilt(bench);
  },
);

forEachHost(
  "the core configuration is read from ~/.config/baler/config.json",
  async (bench) => {
    const plugin = await examplePlugin(CUSTOM_CLOUD);
    await bench.write(join(bench.home, ".config/baler/config.json"), {
      builders: { "custom-cloud": plugin },
    });
    await bench.builds(byType);
    await assertBuilt(bench);
  },
);

forEachHost(
  "the core configuration is read from $XDG_CONFIG_HOME/baler/config.json",
  async (bench) => {
    const plugin = await examplePlugin(CUSTOM_CLOUD);
    await bench.write("xdg/baler/config.json", {
      builders: { "custom-cloud": plugin },
    });
    await bench.builds(byType, [], {
      env: { XDG_CONFIG_HOME: bench.at("xdg") },
    });
    await assertBuilt(bench);
  },
);

forEachHost(
  "a builder's type can be the absolute path of its plugin",
  async (bench) => {
    const plugin = await examplePlugin(CUSTOM_CLOUD);
    await bench.builds({ builders: [{ type: plugin, region: "west-3" }] });
    await assertBuilt(bench, "custom-cloud", "west-3");
  },
);

forEachHost(
  "a type that starts with ./ or ../ is a path relative to the template's directory",
  async (bench) => {
    await bench.write("templates/x.json", {
      builders: [{ type: "./cloud", name: "beside" }, {
        type: "../cloud",
        name: "above",
      }],
    });
    const plugin = await examplePlugin(CUSTOM_CLOUD);
    await Deno.symlink(plugin, bench.at("cloud"));
    await Deno.symlink(plugin, bench.at("templates/cloud"));
    await bench.succeeds(["build", "templates/x.json"]);
    await assertBuilt(bench, "beside");
    await assertBuilt(bench, "above");
  },
);

forEachHost(
  'a plugin in "plugins" can be a command of a path and its arguments',
  async (bench) => {
    const plugin = await examplePlugin(CUSTOM_CLOUD);
    await bench.builds({
      plugins: { builders: { "custom-cloud": ["/usr/bin/env", plugin] } },
      ...byType,
    });
    await assertBuilt(bench);
  },
);

forEachHost(
  "a plugin is searched for in several places in order",
  async (bench) => {
    const plugin = await examplePlugin(CUSTOM_CLOUD);
    const link = async (path: string) => {
      await Deno.mkdir(dirname(path), { recursive: true });
      await Deno.symlink(plugin, path);
      return path;
    };
    const inTemplate = await link(bench.at("a/in-template"));
    const inCore = await link(bench.at("b/in-core"));
    const inPluginDir = await link(bench.at("c", CUSTOM_CLOUD));
    const inPluginPath = await link(bench.at("d", CUSTOM_CLOUD));
    const ofPerson = await link(
      join(bench.home, ".config/baler/plugins", CUSTOM_CLOUD),
    );
    const config = await bench.write("core.json", {
      builders: { "custom-cloud": inCore },
    });
    await bench.write("with.json", {
      plugins: { builders: { "custom-cloud": inTemplate } },
      ...byType,
    });
    await bench.write("without.json", byType);

    const usedBy = async (
      template: string,
      args: string[],
      env: Record<string, string>,
    ) => {
      const { stderr } = await bench.succeeds(["build", ...args, template], {
        env: { BALER_LOG: "1", ...env },
      });
      return /^\S+ \S+ (.*): Plugin started$/m.exec(stderr)?.[1];
    };
    const dir = [`--plugin-dir=${bench.at("c")}`];
    const core = { BALER_CONFIG: config };
    const path = {
      BALER_PLUGIN_PATH: `${bench.at("nothing")}:${bench.at("d")}`,
    };
    assertEquals(
      await usedBy("with.json", dir, { ...core, ...path }),
      inTemplate,
    );
    assertEquals(
      await usedBy("without.json", dir, { ...core, ...path }),
      inCore,
    );
    assertEquals(await usedBy("without.json", dir, path), inPluginDir);
    assertEquals(await usedBy("without.json", [], path), inPluginPath);
    assertEquals(await usedBy("without.json", [], {}), ofPerson);
  },
);

forEachHost(
  "a plugin in the working directory is not used unless --plugin-dir names it",
  async (bench) => {
    await Deno.symlink(
      await examplePlugin(CUSTOM_CLOUD),
      bench.at(CUSTOM_CLOUD),
    );
    await bench.write("template.json", byType);
    const { code, output } = await bench.baler(["build", "template.json"]);
    assertEquals(code, 1);
    assertStringIncludes(output, "Unknown builder custom-cloud");
    await bench.succeeds(["build", "--plugin-dir", ".", "template.json"]);
    await assertBuilt(bench);
  },
);

forEachHost(
  "a plugin replaces a bundled one where a path or a plugin table names it, not by its file name",
  async (bench) => {
    await bench.write(
      "mine/baler-builder-file",
      `#!/bin/sh\nexec '${await examplePlugin(CUSTOM_CLOUD)}'\n`,
      { mode: 0o755 },
    );
    const builders = [{ type: "file" }];
    await bench.write("template.json", { builders });
    const { code, output } = await bench.baler([
      "build",
      "-plugin-dir=mine",
      "template.json",
    ]);
    assertEquals(code, 1);
    assertStringIncludes(output, '"target"');

    const file = "./mine/baler-builder-file";
    await bench.builds({ builders, plugins: { builders: { file } } });
    await assertBuilt(bench, "file");
    const config = await bench.write("core.json", { builders: { file } });
    await bench.builds({ builders }, [], { env: { BALER_CONFIG: config } });
    await bench.builds({ builders: [{ type: file, name: "file" }] });
  },
);

forEachHost(
  "a plugin that other users can replace is used with one warning, with its path and the reason",
  async (bench) => {
    const plugin = await bench.write(
      "open/plugin",
      `#!/bin/sh\nexec '${await examplePlugin(CUSTOM_CLOUD)}'\n`,
      { mode: 0o755 },
    );
    const builders = ["a", "b"].map((name) => ({ type: "custom-cloud", name }));
    const template = {
      builders,
      plugins: { builders: { "custom-cloud": plugin } },
    };
    const safe = await bench.builds(template);
    assert(!safe.output.includes("not safe"), safe.output);
    await Deno.chmod(bench.at("open"), 0o777);
    const { stdout } = await bench.builds(template);
    const warnings = stdout.split("\n").filter((line) =>
      line.startsWith("Warning: ")
    );
    assertEquals(warnings.length, 1, stdout);
    assertStringIncludes(warnings[0]!, plugin);
    assertStringIncludes(warnings[0]!, `chmod o-w ${bench.at("open")}`);
    const listed = await bench.succeeds(["plugins", "template.json"]);
    assertStringIncludes(listed.output, `chmod o-w ${bench.at("open")}`);
    const relative = await bench.builds(template, [], {
      env: { BALER_PLUGIN_PATH: "open" },
    });
    assertStringIncludes(
      relative.output,
      'Warning: "open" in BALER_PLUGIN_PATH is ignored',
    );
  },
);

forEachHost(
  "one executable serves a provisioner and a post-processor",
  async (bench) => {
    const plugin = await examplePlugin("baler-greet-and-sign");
    await bench.builds({
      plugins: {
        provisioners: { greet: plugin },
        "post-processors": { sign: plugin },
      },
      builders: [{ type: "null", communicator: "local" }],
      provisioners: [{ type: "greet", text: "Good morning", path: "greeting" }],
      "post-processors": [[
        { type: "artifice", files: ["greeting"] },
        { type: "sign", key: "secret" },
      ]],
    });
    assertEquals(await bench.read("greeting"), "Good morning\n");
    const hmac = createHmac("sha256", "secret")
      .update(await bench.read("greeting")).digest("hex");
    assertEquals(await bench.read("greeting.hmac"), `${hmac}\n`);
  },
);

forEachHost(
  "two builds that use the same plugin have a process each",
  async (bench) => {
    const plugin = fixturePlugin("two_builders");
    const { stdout } = await bench.builds({
      plugins: { builders: { first: plugin, second: plugin } },
      builders: [{ type: "first" }, { type: "second" }],
    });
    const pids = [...stdout.matchAll(/pid (\d+)/g)].map(([, pid]) => pid);
    assertEquals(pids.length, 2, stdout);
    assert(pids[0] !== pids[1], stdout);
  },
);
