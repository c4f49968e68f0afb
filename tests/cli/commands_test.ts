// The commands of the command line: their output and exit codes, and the commands that
// plugins add.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import {
  assertForPeople,
  examplePlugin,
  fixturePlugin,
  forEachHost,
  type Workspace,
} from "../support/harness.ts";

const words = [
  ...["build", "completion", "console", "fix", "help", "inspect", "plugins"],
  ...["schema", "validate", "version"],
];

for (const word of ["version", "-v", "-version", "--version"]) {
  forEachHost(`baler ${word} shows the version`, async (bench) => {
    const { stdout } = await bench.succeeds([word]);
    assertStringIncludes(stdout, config.version);
    assertEquals(stdout.trim().split("\n").length, 1);
  });
}

forEachHost(
  "baler help lists the commands, and so do -h, -help and --help",
  async (bench) => {
    const { stdout } = await bench.succeeds(["help"]);
    for (const word of words) {
      assertMatch(
        stdout,
        new RegExp(`^ +${word} +\\w`, "m"),
      );
    }
    for (const word of ["-h", "-help", "--help"]) {
      assertEquals((await bench.succeeds([word])).stdout, stdout);
    }
  },
);

forEachHost(
  "baler without arguments shows the help, with exit code 2",
  async (bench) => {
    const { code, output } = await bench.baler([]);
    assertEquals(code, 2);
    assertEquals(output, (await bench.succeeds(["help"])).stdout);
  },
);

forEachHost(
  "each command shows its help with --help and -h as with baler help",
  async (bench) => {
    for (const word of words) {
      const { stdout } = await bench.succeeds(["help", word]);
      assertMatch(stdout, new RegExp(`^Usage: baler ${word}`));
      for (const flag of ["--help", "-h"]) {
        assertEquals((await bench.succeeds([word, flag])).stdout, stdout);
      }
    }
  },
);

forEachHost(
  "the help of a command lists all its flags, and the command accepts each of them",
  async (bench) => {
    const { stdout } = await bench.succeeds(["help", "build"]);
    const flags = [...stdout.matchAll(/^ {2}-([a-z-]+)/gm)].map(([, flag]) =>
      flag
    );
    assertEquals(
      [
        "color",
        "debug",
        "except",
        "force",
        "on-error",
        "only",
        "parallel-builds",
        "plugin-dir",
        "timestamp-ui",
        "var",
        "var-file",
      ].filter((flag) => !flags.includes(flag)),
      [],
    );
  },
);

forEachHost(
  "flags have one or two dashes, and = or a space before their value",
  async (bench) => {
    const template = {
      variables: { x: "" },
      builders: ["a", "b"].map((name) => ({
        type: "file",
        name,
        content: "{{user `x`}}",
        target: `${name}.txt`,
      })),
    };
    for (
      const flags of [
        ["-var", "x=1", "-only", "a"],
        ["--var", "x=1", "--only", "a"],
        ["-var=x=1", "-only=a"],
        ["--var=x=1", "--only=a"],
      ]
    ) {
      await bench.builds(template, flags);
      assertEquals(
        await bench.names(),
        ["a.txt", "template.json"],
        flags.join(" "),
      );
      assertEquals(await bench.read("a.txt"), "1");
      await Deno.remove(bench.at("a.txt"));
    }
  },
);

forEachHost(
  "baler validate accepts a valid template, and builds nothing",
  async (bench) => {
    await bench.write("template.json", {
      builders: [{ type: "file", content: "x", target: "x.txt" }],
      provisioners: [{ type: "shell-local", inline: ["touch y.txt"] }],
      "post-processors": ["manifest"],
    });
    await bench.succeeds(["validate", "template.json"]);
    assertEquals(await bench.names(), ["template.json"]);
  },
);

forEachHost(
  "baler validate reports all problems with their lines",
  async (bench) => {
    await bench.write(
      "template.json",
      '{"builders": [\n  {"type": "file", "name": "one", "content": "x"},\n' +
        '  {"type": "null", "name": "two", "host": 1}\n],\n' +
        '"provisioners": [\n  {"type": "shell-local"}\n]}\n',
    );
    const ended = await bench.baler(["validate", "template.json"]);
    assertEquals(ended.code, 1);
    assertForPeople(ended);
    for (const line of [2, 6]) {
      assertMatch(ended.output, new RegExp(`template\\.json:${line}:\\d+: `));
    }
  },
);

forEachHost("baler validate -syntax-only starts no plugin", async (bench) => {
  await bench.write("template.json", {
    builders: [{ type: "/nowhere/plugin" }, { type: "file", nonsense: 1 }],
  });
  await bench.succeeds(["validate", "-syntax-only", "template.json"]);
  assertEquals((await bench.baler(["validate", "template.json"])).code, 1);
  await bench.write("template.json", "{");
  const { code } = await bench.baler([
    "validate",
    "-syntax-only",
    "template.json",
  ]);
  assertEquals(code, 1);
});

forEachHost(
  "baler inspect shows the parts of a template, and no sensitive value",
  async (bench) => {
    await bench.write("template.json", {
      description: "Two machines.",
      variables: { region: null, size: "small", password: "hunter2" },
      "sensitive-variables": ["password"],
      builders: [{ type: "file", name: "one" }, { type: "/nowhere/cloud" }],
      provisioners: [{ type: "shell" }],
      "post-processors": [["compress", "checksum"]],
    });
    const { stdout } = await bench.succeeds(["inspect", "template.json"]);
    for (
      const part of [
        /Two machines\./,
        /Required variables:\s+region\b/,
        /size += small/,
        /^ +one +\(file\)/m,
        /^ +shell$/m,
        /compress -> checksum/,
      ]
    ) assertMatch(stdout, part);
    assert(!stdout.includes("hunter2"), stdout);
  },
);

forEachHost("baler plugins lists the bundled ones, by kind", async (bench) => {
  const { stdout } = await bench.succeeds(["plugins"]);
  for (
    const [kind, names] of Object.entries({
      builder: ["file", "null"],
      provisioner: [
        "breakpoint",
        "file",
        "powershell",
        "shell",
        "shell-local",
        "sleep",
        "windows-restart",
        "windows-shell",
      ],
      "post-processor": [
        "artifice",
        "checksum",
        "compress",
        "manifest",
        "shell-local",
      ],
    })
  ) {
    const part =
      new RegExp(`^${kind}s:\n((?: .*\n)+)`, "m").exec(stdout)?.[1] ?? "";
    for (const name of names) {
      assertMatch(part, new RegExp(`^ +${name} +baler-${kind}-${name} `, "m"));
    }
  }
});

forEachHost(
  "baler plugins shows which plugin would be used for a name, and why",
  async (bench) => {
    const plugin = await examplePlugin("baler-builder-custom-cloud");
    const config = await bench.write("core.json", {
      builders: { mine: plugin },
    });
    await Deno.mkdir(bench.at("directory"));
    await Deno.symlink(plugin, bench.at("directory/baler-builder-file"));
    await bench.write("template.json", {
      plugins: { builders: { yours: "/opt/yours" } },
      builders: [{ type: "yours" }],
    });
    const { stdout } = await bench.succeeds(
      ["plugins", "-plugin-dir=directory", "template.json"],
      { env: { BALER_CONFIG: config } },
    );
    assertMatch(stdout, new RegExp(`^ +mine +${plugin} .*core\\.json`, "m"));
    assertMatch(stdout, /^ +yours +\/opt\/yours .*template\.json/m);
    assertMatch(stdout, /^ +file +baler-builder-file +\(bundled\)/m);
    assertMatch(
      stdout,
      /instead of \S+\/directory\/baler-builder-file +\(-plugin-dir /,
    );
  },
);

forEachHost(
  "baler plugins lists the plugins of a template that contains only their paths",
  async (bench) => {
    await bench.write("template.json", {
      builders: { "custom-cloud": "/opt/cloud" },
    });
    const { stdout } = await bench.succeeds(["plugins", "template.json"]);
    assertMatch(stdout, /^ +custom-cloud +\/opt\/cloud .*template\.json/m);
  },
);

// Commands of plugins.

async function withShout(bench: Workspace) {
  const config = await bench.write("core.json", {
    commands: { shout: fixturePlugin("shout_command") },
  });
  return { BALER_CONFIG: config };
}

forEachHost(
  "a command plugin adds a command, which gets its arguments, stdin and stdout",
  async (bench) => {
    const env = await withShout(bench);
    const args = ["shout", "-a", "--b=c d", "é", ""];
    const { stdout } = await bench.succeeds(args, {
      env,
      stdin: "good\nmorning\n",
    });
    assertStringIncludes(stdout, `in ${bench.path}: ["-a","--b=c d","é",""]`);
    assertStringIncludes(stdout, "GOOD\nMORNING\n");
  },
);

forEachHost(
  "a command plugin is listed in the help, and shows its own help",
  async (bench) => {
    const env = await withShout(bench);
    const { stdout } = await bench.succeeds(["help"], { env });
    assertMatch(stdout, /^ +shout +prints everything in capitals$/m);
    for (const args of [["help", "shout"], ["shout", "--help"]]) {
      const { stdout } = await bench.succeeds(args, { env });
      assertStringIncludes(stdout, "Usage: baler shout [WORD...]");
    }
  },
);

forEachHost("a command plugin's exit code is baler's", async (bench) => {
  const env = await withShout(bench);
  assertEquals((await bench.baler(["shout", "-code", "42"], { env })).code, 42);
});

forEachHost(
  "an invalid exit code of a command plugin is reported",
  async (bench) => {
    const env = await withShout(bench);
    for (const code of ["1.5", "256", "-1", "none"]) {
      const ended = await bench.baler(["shout", "-code", code], { env });
      assertEquals(ended.code, 1);
      assertMatch(
        ended.output,
        /returned (1\.5|256|-1|NaN); expected an exit code from 0 to 255/,
      );
      assertForPeople(ended);
    }
  },
);

forEachHost(
  "a command plugin that fails is reported, with exit code 1",
  async (bench) => {
    const env = await withShout(bench);
    const ended = await bench.baler(["shout", "-fail"], { env });
    assertEquals(ended.code, 1);
    assertStringIncludes(ended.stderr, "the voice is gone");
    assertForPeople(ended);
  },
);

forEachHost("Ctrl-C cancels a command plugin by its signal", async (bench) => {
  const env = await withShout(bench);
  const run = bench.start(["shout", "-wait"], { env });
  await run.shows("waiting");
  run.kill("SIGINT");
  const { code, stdout } = await run.ended();
  assertEquals(code, 130);
  assertStringIncludes(stdout, "cancelled");
});

forEachHost(
  "baler-command-NAME in a plugin directory adds the command NAME",
  async (bench) => {
    await bench.write(
      "directory/baler-command-louder",
      `#!/bin/sh\nexec ${
        fixturePlugin("shout_command").map((word) => `'${word}'`).join(" ")
      }\n`,
      { mode: 0o755 },
    );
    const env = { BALER_PLUGIN_PATH: bench.at("directory") };
    const { stdout } = await bench.succeeds(["louder", "x"], {
      env,
      stdin: "hey",
    });
    assertStringIncludes(stdout, '["x"]');
    assertStringIncludes(stdout, "HEY");
  },
);

forEachHost(
  "a command plugin cannot replace one of baler's own commands",
  async (bench) => {
    const config = await bench.write("core.json", {
      commands: { version: "/nowhere/plugin" },
    });
    await bench.succeeds(["version"], { env: { BALER_CONFIG: config } });
  },
);

forEachHost(
  "a plugin lists its components when it is run with describe",
  async (bench) => {
    const plugin = await examplePlugin("baler-greet-and-sign");
    const { stdout } = await new Deno.Command(plugin, {
      args: ["describe"],
      cwd: bench.path,
    }).output();
    const described = JSON.parse(new TextDecoder().decode(stdout));
    assertEquals(described.components, {
      provisioner: ["greet"],
      "post-processor": ["sign"],
    });
    assertEquals(described.permissions.read, true);
    assertEquals(described.permissions.net, false);
  },
);

forEachHost(
  "the bundled plugin describes itself, or one of its components",
  async (bench) => {
    const served = async (...words: string[]) => {
      const { stdout } = await bench.succeeds(["plugin", ...words, "describe"]);
      return JSON.parse(stdout).components;
    };
    const all = await served();
    assertEquals(all.builder, ["file", "null"]);
    assert(all["post-processor"].includes("manifest"), JSON.stringify(all));
    assertEquals(await served("builder-file"), { builder: ["file"] });
    const { code, stderr } = await bench.baler(["plugin", "builder-files"]);
    assertEquals(code, 2);
    assertMatch(stderr, /no plugin "builder-files"/);
  },
);
