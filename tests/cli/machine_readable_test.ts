// The machine-readable output, and the log of BALER_LOG.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import {
  examplePlugin,
  fixturePlugin,
  forEachHost,
  type Workspace,
} from "../support/harness.ts";
import { missing, skippable } from "../support/programs.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

const template = {
  variables: { greeting: "hi" },
  builders: [{
    type: "file",
    name: "one",
    content: "{{user `greeting`}}",
    target: "t/one,1.txt",
  }],
  provisioners: [
    { type: "shell-local", inline: ["echo building, now"] },
    { type: "shell-local", inline: ["echo no >&2"] },
  ],
  "post-processors": [
    [
      { type: "compress", output: "t/one.tar.gz" },
      { type: "checksum", checksum_types: ["md5"], output: "t/one.md5" },
    ],
    { type: "shell-local", inline: ["true"] },
  ],
};

/** Returns the events of an output without their time; every line must be an event. */
function events(stdout: string): string[] {
  const now = Date.now() / 1000;
  return stdout.trimEnd().split("\n").map((line) => {
    const match = /^(\d{10}),(.*)$/.exec(line);
    if (match === null) throw new Error(`no event: ${line}`);
    const [time, event] = [match[1]!, match[2]!];
    assert(Math.abs(Number(time) - now) < 60, `another time: ${line}`);
    return event;
  });
}

// As in Packer 1.6.6, except for durations, temporary names and the number of cores.
const expected = `
,ui,say,==> one: Running local shell script: TEMPORARY
,ui,message,    one: building%!(PACKER_COMMA) now
,ui,say,==> one: Running local shell script: TEMPORARY
,ui,error,==> one: no
,ui,say,==> one: Running post-processor: compress
,ui,say,==> one (compress): Using gzip compression with N cores for t/one.tar.gz
,ui,say,==> one (compress): Tarring t/one.tar.gz with gzip
,ui,say,==> one (compress): Archive t/one.tar.gz completed
,ui,say,==> one: Running post-processor: checksum
,ui,say,==> one: Running post-processor: shell-local
,ui,say,==> one (shell-local): Running local shell script: TEMPORARY
,ui,say,Build 'one' finished after DURATION.
,ui,say,\\n==> Wait completed after DURATION
,ui,say,\\n==> Builds finished. The artifacts of successful builds are:
one,artifact-count,4
one,artifact,0,builder-id,packer.file
one,artifact,0,id,File
one,artifact,0,string,Stored file: t/one%!(PACKER_COMMA)1.txt
one,artifact,0,files-count,1
one,artifact,0,file,0,t/one%!(PACKER_COMMA)1.txt
one,artifact,0,end
,ui,say,--> one: Stored file: t/one%!(PACKER_COMMA)1.txt
one,artifact,1,builder-id,packer.post-processor.compress
one,artifact,1,id,
one,artifact,1,string,compressed artifacts in: t/one.tar.gz
one,artifact,1,files-count,1
one,artifact,1,file,0,t/one.tar.gz
one,artifact,1,end
,ui,say,--> one: compressed artifacts in: t/one.tar.gz
one,artifact,2,builder-id,packer.post-processor.checksum
one,artifact,2,id,
one,artifact,2,string,Created artifact from files: t/one.tar.gz%!(PACKER_COMMA) t/one.md5
one,artifact,2,files-count,2
one,artifact,2,file,0,t/one.tar.gz
one,artifact,2,file,1,t/one.md5
one,artifact,2,end
,ui,say,--> one: Created artifact from files: t/one.tar.gz%!(PACKER_COMMA) t/one.md5
one,artifact,3,builder-id,packer.file
one,artifact,3,id,File
one,artifact,3,string,Stored file: t/one%!(PACKER_COMMA)1.txt
one,artifact,3,files-count,1
one,artifact,3,file,0,t/one%!(PACKER_COMMA)1.txt
one,artifact,3,end
,ui,say,--> one: Stored file: t/one%!(PACKER_COMMA)1.txt
`.trim().split("\n");

const comparable = (event: string) =>
  event
    .replace(/shell script: .*/, "shell script: TEMPORARY")
    .replace(/after \d.*?\.?$/, (text) =>
      `after DURATION${text.endsWith(".") ? "." : ""}`)
    .replaceAll("pgzip", "gzip")
    .replace(/with \d+ cores? for/, "with N cores for");

forEachHost(
  "-machine-readable prints Packer's events in Packer's order",
  async (bench) => {
    const { stdout } = await bench.builds(template, ["-machine-readable"]);
    assertEquals(events(stdout).map(comparable), expected);
  },
);

Deno.test({
  ...skippable(
    "Packer itself shows these events in this order",
    missing("packer"),
  ),
  async fn() {
    await using directory = await TemporaryDirectory.make({
      "t/": "",
      "x.json": JSON.stringify(template),
    });
    const { stdout } = await new Deno.Command("packer", {
      args: ["build", "-machine-readable", "x.json"],
      cwd: directory.path,
      env: { CHECKPOINT_DISABLE: "1" },
    }).output();
    const text = new TextDecoder().decode(stdout);
    assertEquals(events(text).map(comparable), expected);
  },
});

forEachHost(
  "-machine-readable is accepted before and after a command",
  async (bench) => {
    const expected = [
      `,version,${config.version}`,
      ",version-prelease,",
      ",version-commit,",
      `,ui,say,baler v${config.version}`,
    ];
    for (
      const args of [
        ["version", "-machine-readable"],
        ["-machine-readable", "version"],
        ["--machine-readable", "version"],
      ]
    ) {
      assertEquals(events((await bench.succeeds(args)).stdout), expected);
    }
  },
);

forEachHost("an error is also an event", async (bench) => {
  const wrong = await bench.baler([
    "-machine-readable",
    "build",
    "missing.json",
  ]);
  assertEquals(wrong.code, 1);
  assertMatch(events(wrong.stdout).join("\n"), /^,ui,error,.*missing\.json/m);

  await bench.write("template.json", {
    builders: [{ type: "file", name: "bad", source: "missing", target: "x" }],
  });
  const failed = await bench.baler([
    "-machine-readable",
    "build",
    "template.json",
  ]);
  assertEquals(failed.code, 1);
  assertMatch(events(failed.stdout).join("\n"), /^bad,error,.*missing/m);
  assertEquals(failed.stderr, "");
});

forEachHost(
  "inspect prints events for variables, builders and provisioners",
  async (bench) => {
    await bench.write("template.json", template);
    const { stdout } = await bench.succeeds([
      "-machine-readable",
      "inspect",
      "template.json",
    ]);
    const seen = events(stdout);
    for (
      const event of [
        ",template-variable,greeting,hi,0",
        ",template-builder,one,file",
        ",template-provisioner,shell-local",
      ]
    ) assert(seen.includes(event), `${event} is not in:\n${stdout}`);
  },
);

// The log.

const LOG_LINE = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d ([^:]+): ?(.*)$/;

async function logged(
  bench: Workspace,
  template: unknown,
  env: Record<string, string> = {},
) {
  const { stderr } = await bench.builds(template, [], {
    env: { BALER_LOG: "1", ...env },
  });
  return stderr;
}

forEachHost(
  "BALER_LOG logs each line with its time and the plugin's path",
  async (bench) => {
    const plugin = await examplePlugin("baler-builder-custom-cloud");
    const log = await logged(bench, {
      builders: [{ type: plugin }, { type: "file", content: "x", target: "x" }],
    });
    const sources = new Set<string>();
    for (const line of log.trimEnd().split("\n")) {
      const match = LOG_LINE.exec(line);
      if (match === null) throw new Error(`no line of a log: ${line}`);
      sources.add(match[1]!);
    }
    for (const source of [plugin, "baler-builder-file", "ui"]) {
      assert(sources.has(source), `${source} is not in:\n${log}`);
    }
  },
);

forEachHost(
  "the log contains the output of the ui and of plugins",
  async (bench) => {
    const plugin = await bench.write(
      "plugin",
      `#!/bin/sh\necho 'a note' >&2\nexec ${
        fixturePlugin("two_builders").map((word) => `'${word}'`).join(" ")
      }\n`,
      { mode: 0o755 },
    );
    const log = await logged(bench, { builders: { first: plugin } });
    assertMatch(log, new RegExp(`^\\S+ \\S+ ${plugin}: a note$`, "m"));
    assertMatch(log, /^\S+ \S+ ui: ==> first: pid \d+$/m);
  },
);

forEachHost("there is no log unless BALER_LOG is set", async (bench) => {
  const one = { builders: [{ type: "null", communicator: "none" }] };
  assertEquals((await bench.builds(one)).stderr, "");
  for (const BALER_LOG of ["", "0"]) {
    const { stderr } = await bench.builds(one, [], { env: { BALER_LOG } });
    assertEquals(stderr, "");
  }
  assertStringIncludes(
    (await bench.builds(one, [], { env: { PACKER_LOG: "1" } })).stderr,
    "Plugin started",
  );
});

forEachHost("BALER_LOG_PATH gets the log, too", async (bench) => {
  const log = await logged(bench, {
    builders: [{ type: "file", content: "x", target: "x" }],
  }, { BALER_LOG_PATH: bench.at("log") });
  assertStringIncludes(
    await bench.read("log"),
    "baler-builder-file: Plugin started",
  );
  assertEquals(await bench.read("log"), log);
});

forEachHost(
  "a sensitive value is shown as <sensitive>, in ui, log and events",
  async (bench) => {
    const secret = "hunter2";
    const template = {
      variables: { password: secret, name: "x" },
      "sensitive-variables": ["password"],
      builders: [{
        type: "file",
        name: "one",
        content: "{{user `password`}}",
        target: "x.txt",
      }],
      provisioners: [{
        type: "shell-local",
        inline: [
          "echo it is {{user `password`}}",
          "echo http://u:{{user `password`}}@h/ >&2",
        ],
      }],
    };
    const { output } = await bench.builds(template, [], {
      env: { BALER_LOG: "1", BALER_LOG_PATH: bench.at("log") },
    });
    assertStringIncludes(output, "one: it is <sensitive>");
    assertStringIncludes(output, "http://u:<sensitive>@h/");
    const log = await bench.read("log");
    assertStringIncludes(log, "it is <sensitive>");
    const { stdout } = await bench.builds(template, ["-machine-readable"]);
    for (const text of [output, log, stdout]) {
      assert(!text.includes(secret), text);
    }
    // The artifact contains the real value.
    assertEquals(await bench.read("x.txt"), secret);
  },
);

forEachHost(
  "a sensitive value of -var is not shown in the error of a failed build",
  async (bench) => {
    await bench.write("template.json", {
      variables: { password: null },
      "sensitive-variables": ["password"],
      builders: [{
        type: "file",
        source: "/nowhere/{{user `password`}}",
        target: "x",
      }],
    });
    const { code, output } = await bench.baler(
      ["build", "-var", "password=hunter2", "template.json"],
      { env: { BALER_LOG: "1" } },
    );
    assertEquals(code, 1);
    assertStringIncludes(output, "/nowhere/<sensitive>");
    assert(!output.includes("hunter2"), output);
  },
);
