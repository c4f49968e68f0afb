// The environment of a plugin: the host's without the variables that configure the host, recognized by
// name; or exactly the one that a launching program passes.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { launch } from "../../host/mod.ts";
import { HELLO, testPosix } from "../support/plugin_process.ts";
import {
  fixturePlugin,
  forEachHost,
  type Workspace,
} from "../support/harness.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { NOT_POSIX } from "../support/programs.ts";

/** All variables that configure the host; also one of a later version. */
const SETTINGS = {
  BALER_LOG: "0",
  BALER_LOG_PATH: "/nowhere/log",
  BALER_PLUGIN_PATH: "/nowhere",
  BALER_PLUGIN_START_TIMEOUT: "50s",
  BALER_PLUGIN_ANSWER_TIMEOUT: "50s",
  BALER_PLUGIN_GRACE: "5s",
  BALER_TOKEN_OF_TOMORROW: "hush",
  PACKER_LOG: "0",
  PACKER_LOG_PATH: "/nowhere/log",
  PACKER_CONFIG: "/nowhere/config",
  PACKER_NO_COLOR: "1",
  PACKER_PLUGIN_PATH: "/nowhere",
  PACKER_PLUGIN_MAGIC_COOKIE: "of a Packer that started this baler",
  PACKER_PLUGIN_MIN_PORT: "10000",
  PACKER_PLUGIN_MAX_PORT: "25000",
};

/** The variables for plugins and their children. */
const FOR_PLUGINS = {
  AWS_SECRET_ACCESS_KEY: "a cloud's",
  BALER_CACHE_DIR: "/var/cache/one",
  PACKER_CACHE_DIR: "/var/cache/two",
  PACKER_GITHUB_API_TOKEN: "no setting of the host's",
  HTTPS_PROXY: "http://proxy:3128",
  BALERINA: "no name of baler's",
};

/** Parses the output of `env`. */
function variables(output: string): Record<string, string> {
  return Object.fromEntries(
    output.trimEnd().split("\n").map((line) => {
      const end = line.indexOf("=");
      return [line.slice(0, end), line.slice(end + 1)];
    }),
  );
}

function assertForPlugins(
  seen: Readonly<Record<string, string>>,
  bench: Workspace,
): void {
  for (const name of Object.keys(SETTINGS)) {
    assert(!(name in seen), `${name} is not for plugins`);
  }
  const kept = {
    ...FOR_PLUGINS,
    PATH: bench.env.PATH!,
    HOME: bench.env.HOME!,
    TMPDIR: bench.env.TMPDIR!,
  };
  for (const [name, value] of Object.entries(kept)) {
    assertEquals(seen[name], value, name);
  }
  assertMatch(seen.BALER_HOST_ID ?? "", /^[0-9a-f-]{36}$/);
}

forEachHost(
  "plugins and their scripts get all variables except those that configure the host",
  async (bench) => {
    const template = {
      builders: [{ type: "null", communicator: "local" }],
      provisioners: [
        { type: "shell-local", inline: ["env > local.env"] },
        { type: "shell", inline: ["env > remote.env"] },
      ],
      "post-processors": [
        { type: "shell-local", inline: ["env > after.env"] },
      ],
    };
    await bench.builds(template, [], {
      env: { ...SETTINGS, ...FOR_PLUGINS },
    });
    const runs = new Set<string>();
    for (const name of ["local.env", "remote.env", "after.env"]) {
      const seen = variables(await bench.read(name));
      assertForPlugins(seen, bench);
      runs.add(seen.PACKER_RUN_UUID!);
      if (name !== "remote.env") {
        assertEquals(seen.PACKER_BUILD_NAME, "null");
        assertEquals(seen.PACKER_BUILDER_TYPE, "null");
      }
    }
    assertEquals(runs.size, 1);
    assertMatch([...runs].join(), /^[0-9a-f-]{36}$/);
  },
  { ignore: NOT_POSIX },
);

forEachHost(
  "a command plugin gets the same environment as any plugin",
  async (bench) => {
    const config = await bench.write("core.json", {
      commands: { shout: fixturePlugin("shout_command") },
    });
    const { stdout } = await bench.succeeds(["shout", "-environment"], {
      env: { ...SETTINGS, ...FOR_PLUGINS, BALER_CONFIG: config },
    });
    const seen = JSON.parse(stdout) as Record<string, string>;
    assertForPlugins(seen, bench);
    assertEquals(seen.BALER_CONFIG, undefined);
  },
);

forEachHost(
  "baler in a provisioner of baler is an independent host, with the settings of its own environment",
  async (bench) => {
    const words = [...bench.argv, "build", "-color=false", "inner.json"]
      .map((word) => `'${word}'`).join(" ");
    await bench.write("inner.json", {
      builders: [{ type: "null", communicator: "none" }],
      provisioners: [{ type: "shell-local", inline: ["env > inner.env"] }],
    });
    await bench.builds(
      {
        builders: [{ type: "null", communicator: "none" }],
        provisioners: [
          {
            type: "shell-local",
            environment_vars: ["BALER_LOG=1", "BALER_LOG_PATH=inner.log"],
            inline: ["env > outer.env", words],
          },
        ],
      },
      [],
      { env: SETTINGS },
    );
    const outer = variables(await bench.read("outer.env"));
    const inner = variables(await bench.read("inner.env"));
    assert(inner.BALER_HOST_ID !== outer.BALER_HOST_ID);
    assert(inner.PACKER_RUN_UUID !== outer.PACKER_RUN_UUID);
    assert(!("BALER_LOG" in inner));
    assertMatch(await bench.read("inner.log"), /Plugin started/);
  },
  { ignore: NOT_POSIX },
);

testPosix(
  "launch() passes a plugin exactly the given environment",
  async () => {
    await using directory = await TemporaryDirectory.make();
    const path = await directory.script(
      "plugin",
      "/usr/bin/env >&2",
      HELLO,
      "exec cat >/dev/null",
    );
    const env = { BALER_LOG: "1", PACKER_CONFIG: "/x", NAME: "value" };
    const given = await launch(path, { env });
    await given.close();
    const seen = variables(given.lastLines.join("\n"));
    // Without the variables that the shell of the script adds.
    for (const name of ["PWD", "OLDPWD", "SHLVL", "_"]) delete seen[name];
    const { BALER_HOST_ID, ...rest } = seen;
    assertEquals(rest, env);
    assertMatch(BALER_HOST_ID!, /^[0-9a-f-]{36}$/);
  },
);

testPosix(
  "launch() without an environment passes the program's, without the variables that configure baler",
  async () => {
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: [
          "eval",
          `const { launch } = await import(${
            JSON.stringify(import.meta.resolve("../../host/mod.ts"))
          });
          const plugin = await launch(${
            JSON.stringify([
              "/bin/sh",
              "-c",
              `echo "[$BALER_LOG][$PACKER_LOG][$OTHER]" >&2\n${HELLO}\nexec cat >/dev/null`,
            ])
          });
          await plugin.close();
          console.log(plugin.lastLines.join());`,
        ],
        cwd: fromFileUrl(new URL("../..", import.meta.url)),
        env: { BALER_LOG: "1", PACKER_LOG: "1", OTHER: "other" },
      },
    ).output();
    const decoder = new TextDecoder();
    assert(success, decoder.decode(stderr));
    assertEquals(decoder.decode(stdout), "[][][other]\n");
  },
);
