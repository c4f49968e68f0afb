// Finding plugins: their precedence, the shadowed ones, and the
// error for a plugin that does not exist.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { DELIMITER, join } from "@std/path";
import { readCoreConfig } from "../../host/discovery/core_config.ts";
import { setting } from "../../host/config/environment.ts";
import {
  pluginDirectories,
  pluginPathWarnings,
} from "../../host/discovery/plugin_directories.ts";
import { untrustedReason } from "../../host/discovery/plugin_trust.ts";
import {
  findPlugin,
  listPlugins,
  namedPlugin,
  type PluginSources,
} from "../../host/discovery/find_plugin.ts";
import { SourceError } from "../../host/json/json_document.ts";
import { emptyPluginTable } from "../../host/discovery/plugin_table.ts";
import { parseTemplate } from "../../host/template/template.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

const isWindows = Deno.build.os === "windows";

/** Writes an executable with the platform's extension; returns its path. */
async function executable(
  directory: TemporaryDirectory,
  name: string,
): Promise<string> {
  return await directory.write(isWindows ? `${name}.exe` : name, "", 0o755);
}

/** Runs a function with exactly these variables of baler, and restores the environment. */
async function withEnvironment<T>(
  variables: Record<string, string>,
  run: () => T | Promise<T>,
): Promise<T> {
  const before = Deno.env.toObject();
  try {
    for (const name of Object.keys(before)) {
      if (/^(BALER|PACKER|XDG)_/.test(name)) Deno.env.delete(name);
    }
    for (const [name, value] of Object.entries(variables)) {
      Deno.env.set(name, value);
    }
    return await run();
  } finally {
    for (const name of Object.keys(variables)) Deno.env.delete(name);
    for (const [name, value] of Object.entries(before)) {
      Deno.env.set(name, value);
    }
  }
}

function sourcesOf(given: Partial<PluginSources> = {}): PluginSources {
  return {
    coreConfig: { plugins: emptyPluginTable() },
    directories: [],
    bundled: {
      argv: ["/bin/baler", "plugin"],
      process: "baler-bundled",
      names: { builder: ["file", "null"], provisioner: ["shell"] },
    },
    ...given,
  };
}

async function coreConfig(directory: TemporaryDirectory, value: unknown) {
  const path = await directory.write(
    "config.json",
    JSON.stringify(value, null, 2),
  );
  return await withEnvironment({ BALER_CONFIG: path }, readCoreConfig);
}

Deno.test("findPlugin() searches the template, the core configuration, the bundled plugin and the directories, in this order", async () => {
  await using directory = await TemporaryDirectory.make();
  await using other = await TemporaryDirectory.make();
  const first = await executable(directory, "baler-builder-file");
  const second = await executable(other, "baler-builder-file");
  const template = await parseTemplate(
    `{"builders": [{"type": "file"}],
      "plugins": {
        "builders": {"file": "./bin/file"}}}`,
    join(directory.path, "template.json"),
  );
  const config = await coreConfig(directory, {
    builders: { file: ["ssh", "h", "/opt/file"] },
  });
  const all = sourcesOf({
    template,
    coreConfig: config,
    directories: [
      { path: directory.path, reason: "-plugin-dir" },
      { path: other.path, reason: "BALER_PLUGIN_PATH" },
    ],
  });

  const [listed, nul, shell] = listPlugins(all);
  const { shadows, ...used } = listed!;
  assertEquals(used, {
    kind: "builder",
    argv: [join(directory.path, "bin", "file")],
    label: join(directory.path, "bin", "file"),
    name: "file",
    source: `${join(directory.path, "template.json")}:3`,
  });
  assertEquals(
    shadows.map(({ argv, label, source }) => [argv, label, source]),
    [
      [
        ["ssh", "h", "/opt/file"],
        "ssh h /opt/file",
        `core configuration ${join(directory.path, "config.json")}:3`,
      ],
      [
        ["/bin/baler", "plugin"],
        "baler-builder-file",
        "bundled",
      ],
      [[first], first, `-plugin-dir ${directory.path}`],
      [[second], second, `BALER_PLUGIN_PATH ${other.path}`],
    ],
  );
  assertEquals([nul?.name, shell?.kind], ["null", "provisioner"]);

  assertEquals((await findPlugin("builder", "file", all)).source, used.source);
  const rest = [
    { ...all, template: undefined },
    sourcesOf({ directories: all.directories }),
    {
      ...sourcesOf({ directories: all.directories }),
      bundled: { ...all.bundled, names: {} },
    },
  ];
  for (const [index, sources] of rest.entries()) {
    const found = await findPlugin("builder", "file", sources as PluginSources);
    assertEquals(found, shadows[index]);
  }
});

Deno.test("findPlugin() resolves a type that is a path against the template's directory", async () => {
  const template = await parseTemplate(
    '{"builders": [{"type": "x"}]}',
    "/srv/t.json",
  );
  const sources = sourcesOf({ template });
  assertEquals(
    await findPlugin("builder", "/opt/baler-builder-cloud", sources),
    {
      argv: ["/opt/baler-builder-cloud"],
      label: "/opt/baler-builder-cloud",
      name: "cloud",
      source: 'its "type"',
    },
  );
  const relative = await findPlugin("provisioner", "../bin/thing", sources);
  assertEquals([relative.argv, relative.name], [["/bin/thing"], ""]);
});

Deno.test("findPlugin() reports the places that it searched and the most similar name", async () => {
  await using directory = await TemporaryDirectory.make();
  await executable(directory, "baler-provisioner-shell");
  const sources = sourcesOf({
    directories: [{ path: directory.path, reason: "-plugin-dir" }],
  });
  const error: Error = await assertRejects(
    () => findPlugin("builder", "fil", sources),
    Error,
  );
  assertStringIncludes(
    error.message,
    'Unknown builder fil: no plugin serves it; did you mean "file"?',
  );
  assertStringIncludes(
    error.message,
    `${join(directory.path, "baler-builder-fil")} (-plugin-dir)`,
  );
  // A type cannot escape from the directories.
  await assertRejects(
    () => findPlugin("builder", "a/../../x", sources),
    Error,
    "Unknown builder",
  );
});

Deno.test("findPlugin() reports files that are named like the plugin but cannot be used", async () => {
  await using directory = await TemporaryDirectory.make();
  await directory.write("baler-builder-plain");
  await executable(directory, "packer-builder-cloud");
  await Deno.mkdir(join(directory.path, "baler-builder-directory"));
  const config = await coreConfig(directory, {
    builders: { amazon: "/opt/packer-builder-amazon" },
  });
  const sources = sourcesOf({
    coreConfig: config,
    directories: [{ path: directory.path, reason: "-plugin-dir" }],
  });
  assertEquals(listPlugins(sources).map(({ name }) => name), [
    "file",
    "null",
    "shell",
  ]);
  const refusal = async (type: string) =>
    (await assertRejects(
      () => findPlugin("builder", type, sources),
      Error,
    ) as Error).message;
  assertStringIncludes(await refusal("plain"), "is not executable");
  assertStringIncludes(await refusal("directory"), "is a directory");
  assertStringIncludes(await refusal("cloud"), "is a Packer plugin");
  assertStringIncludes(
    await refusal("amazon"),
    "/opt/packer-builder-amazon is a Packer plugin",
  );
  await assertRejects(
    () =>
      Promise.try(() =>
        namedPlugin("builder", "x", ["/opt/packer-builder-x"], "t.json:3")
      ),
    Error,
    "t.json:3: /opt/packer-builder-x is a Packer plugin",
  );
});

Deno.test("a plugin table accepts absolute and relative paths and commands, and nothing else", async () => {
  await using directory = await TemporaryDirectory.make();
  const { plugins } = await coreConfig(directory, {
    _comment: "mine",
    builders: {
      a: "/opt/a",
      b: "./b",
      c: ["deno", "run", "/c.ts"],
      d: ["../d", "-x"],
    },
    "post-processors": { e: "/e" },
  });
  assertEquals([...plugins.builder.values()].map(({ argv }) => argv), [
    ["/opt/a"],
    [join(directory.path, "b")],
    ["deno", "run", "/c.ts"],
    [join(directory.path, "..", "d"), "-x"],
  ]);
  assertEquals(plugins["post-processor"].get("e")?.at, [
    "post-processors",
    "e",
  ]);

  const error: Error = await assertRejects(
    () =>
      coreConfig(directory, {
        builder: {},
        provisioners: { a: "b", c: [], d: 3, e: ["x/y"], f: ["x", 1] },
        hooks: [],
      }),
    SourceError,
  );
  for (
    const part of [
      'config.json:2:3: unknown key "builder"; did you mean "builders"?',
      'config.json:4:10: "b" is not the path of a plugin',
      "not an empty list",
      "not the number 3",
      '"x/y" is neither a command name nor a path',
      'strings such as ["ssh", "build1", "/opt/plugin"], not this list',
      '"hooks" must be an object from name to path, not a list',
    ]
  ) {
    assertStringIncludes(error.message, part);
  }
});

Deno.test("readCoreConfig() reads the user's file, which need not exist", async () => {
  await using home = await TemporaryDirectory.make();
  const environment = { XDG_CONFIG_HOME: home.path, APPDATA: home.path };
  const none = await withEnvironment(environment, readCoreConfig);
  const source = join(home.path, "baler", "config.json");
  assertEquals(none, { plugins: emptyPluginTable(), source });

  await Deno.mkdir(join(home.path, "baler"));
  await Deno.writeTextFile(source, '{"builders": {"x": "/x"}}');
  const { plugins } = await withEnvironment(environment, readCoreConfig);
  assertEquals(plugins.builder.get("x")?.argv, ["/x"]);

  await assertRejects(
    () =>
      withEnvironment(
        { BALER_CONFIG: join(home.path, "nope") },
        readCoreConfig,
      ),
    Error,
    "no such file or directory",
  );
});

Deno.test("readCoreConfig() accepts Packer's own file that PACKER_CONFIG names", async () => {
  await using directory = await TemporaryDirectory.make();
  const path = await directory.write(
    "packerconfig",
    JSON.stringify({
      disable_checkpoint: true,
      plugin_min_port: 10000,
      builders: { mine: "/opt/baler-builder-mine", odd: "packer-builder-odd" },
    }),
    0o644,
  );
  const config = await withEnvironment({ PACKER_CONFIG: path }, readCoreConfig);
  assertEquals([...config.plugins.builder.keys()], ["mine"]);
  const missing = join(directory.path, "nope");
  const empty = await withEnvironment(
    { PACKER_CONFIG: missing },
    readCoreConfig,
  );
  assertEquals(empty.plugins, emptyPluginTable());
});

Deno.test("pluginDirectories() returns -plugin-dir, BALER_PLUGIN_PATH and the user's directory, each once", async () => {
  await using home = await TemporaryDirectory.make();
  const directories = await withEnvironment({
    XDG_CONFIG_HOME: home.path,
    APPDATA: home.path,
    BALER_PLUGIN_PATH: ["/a", "", "/b"].join(DELIMITER),
  }, () => pluginDirectories({ pluginDir: ["/b", "here"] }));
  assertEquals(
    directories.map(({ path, reason }) => `${reason} ${path}`).slice(0, 4),
    [
      "-plugin-dir /b",
      `-plugin-dir ${join(Deno.cwd(), "here")}`,
      "BALER_PLUGIN_PATH /a",
      `your plugin directory ${join(home.path, "baler", "plugins")}`,
    ],
  );
});

Deno.test("pluginDirectories() ignores relative paths of BALER_PLUGIN_PATH, with a warning", async () => {
  const { directories, warnings } = await withEnvironment(
    { BALER_PLUGIN_PATH: [".", "/a", "plugins"].join(DELIMITER) },
    () => ({
      directories: pluginDirectories(),
      warnings: pluginPathWarnings(),
    }),
  );
  assertEquals(
    directories.filter(({ reason }) => reason === "BALER_PLUGIN_PATH"),
    [{ path: "/a", reason: "BALER_PLUGIN_PATH" }],
  );
  assertEquals(warnings.length, 2);
  assertStringIncludes(warnings[0]!, '"." in BALER_PLUGIN_PATH is ignored');
});

Deno.test({
  name: "untrustedReason() names who else can replace a plugin",
  ignore: isWindows,
  async fn() {
    await using directory = await TemporaryDirectory.make();
    const inner = join(directory.path, "inner");
    Deno.mkdirSync(inner, { mode: 0o755 });
    const file = join(inner, "baler-builder-x");
    Deno.writeTextFileSync(file, "", { mode: 0o755 });
    const link = join(directory.path, "link");
    Deno.symlinkSync(file, link);
    assertEquals(untrustedReason([file]), undefined);
    assertEquals(untrustedReason([link]), undefined);
    assertEquals(untrustedReason(["ssh", "host", "/nowhere"]), undefined);

    Deno.chmodSync(file, 0o757);
    const reason = `${file} is writable by every user; run "chmod o-w ${file}"`;
    assertEquals(untrustedReason([file]), reason);
    assertEquals(untrustedReason([link]), reason);
    assertEquals(untrustedReason(["deno", "run", file]), reason);
    Deno.chmodSync(file, 0o755);
    Deno.chmodSync(inner, 0o777);
    assertStringIncludes(untrustedReason([link])!, `its directory ${inner}`);
    // Other users cannot replace files in a sticky directory.
    Deno.chmodSync(inner, 0o1777);
    assertEquals(untrustedReason([link]), undefined);
    Deno.chmodSync(inner, 0o755);
    if (Deno.uid() !== 0) return;
    Deno.chownSync(file, 65534, null);
    assertStringIncludes(untrustedReason([file])!, "another user (uid 65534)");
    Deno.chownSync(file, 0, 65534);
    Deno.chmodSync(file, 0o775);
    assertStringIncludes(untrustedReason([file])!, "its group (gid 65534)");
  },
});

Deno.test("setting() reads BALER_ before PACKER_", async () => {
  await withEnvironment(
    { PACKER_LOG: "1" },
    () => assertEquals(setting("LOG"), "1"),
  );
  await withEnvironment(
    { PACKER_LOG: "1", BALER_LOG: "" },
    () => assertEquals(setting("LOG"), ""),
  );
  await withEnvironment({}, () => assert(setting("LOG") === undefined));
});
