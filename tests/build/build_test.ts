// Builds with bundled components: their artifacts, their order, and builds
// that fails.

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
} from "@std/assert";
import {
  assertForPeople,
  type Ended,
  examplePlugin,
  forEachHost,
  type Workspace,
} from "../support/harness.ts";
import { childrenOf } from "../support/processes.ts";
import { NOT_LINUX } from "../support/programs.ts";

const local = (name: string) => ({ type: "null", communicator: "local", name });
const file = (name: string) => ({
  type: "file",
  name,
  content: `content of ${name}\n`,
  target: `${name}.txt`,
});

async function fails(
  bench: Workspace,
  template: unknown,
  args: string[] = [],
): Promise<Ended> {
  await bench.write("template.json", template);
  const ended = await bench.baler(["build", ...args, "template.json"]);
  assertEquals(ended.code, 1, ended.output);
  assertForPeople(ended);
  return ended;
}

async function tool(bench: Workspace, command: string, ...args: string[]) {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd: bench.path,
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert(success, `${command}: ${text}${new TextDecoder().decode(stderr)}`);
  return text;
}

/** Returns the position of each line in the output; fails when one is missing. */
function assertInOrder(output: string, lines: string[]) {
  let from = 0;
  for (const line of lines) {
    const at = output.indexOf(line, from);
    assert(at !== -1, `"${line}" is missing or too early in:\n${output}`);
    from = at + line.length;
  }
}

forEachHost(
  "a build runs builder, provisioners and post-processors, and its checksums and archive are correct",
  async (bench) => {
    await bench.write("greeting.txt", "Hello\n");
    const { stdout } = await bench.builds({
      variables: { who: "world" },
      builders: [local("one"), local("two")],
      provisioners: [
        {
          type: "file",
          source: "greeting.txt",
          destination: "{{build_name}}.txt",
        },
        {
          type: "shell",
          environment_vars: ["WHO={{user `who`}}"],
          inline: ["echo $WHO $PACKER_BUILD_NAME >> $PACKER_BUILD_NAME.txt"],
        },
      ],
      "post-processors": [[
        {
          type: "artifice",
          files: ["{{build_name}}.txt"],
          keep_input_artifact: true,
        },
        {
          type: "compress",
          output: "{{.BuildName}}.tar.gz",
          keep_input_artifact: true,
        },
        {
          type: "checksum",
          checksum_types: ["sha256"],
          output: "{{.BuildName}}.{{.ChecksumType}}",
        },
        { type: "manifest", output: "manifest.json" },
      ]],
    });
    for (const name of ["one", "two"]) {
      const content = `Hello\nworld ${name}\n`;
      assertEquals(await bench.read(`${name}.txt`), content);
      await tool(bench, "sha256sum", "--check", "--strict", `${name}.sha256`);
      assertEquals(
        await tool(bench, "tar", "-xzOf", `${name}.tar.gz`),
        content,
      );
      assertInOrder(stdout, [
        `==> ${name}: Uploading greeting.txt => ${name}.txt`,
        `==> ${name}: Provisioning with shell script: `,
        `==> ${name}: Running post-processor: artifice`,
        `==> ${name}: Running post-processor: compress`,
        `==> ${name}: Running post-processor: checksum`,
        `==> ${name}: Running post-processor: manifest`,
        `Build '${name}' finished after `,
        "==> Wait completed after ",
        "==> Builds finished. The artifacts of successful builds are:",
        `--> ${name}: `,
      ]);
    }
    const manifest = JSON.parse(await bench.read("manifest.json"));
    assertEquals(
      manifest.builds.map((one: { name: string }) => one.name).sort(),
      ["one", "two"],
    );
    assertEquals(manifest.builds[0].packer_run_uuid, manifest.last_run_uuid);
  },
);

/** A build whose provisioner waits until {@linkcode goOn} is called, run over the communicator. */
async function startWaiting(bench: Workspace, names: string[]) {
  await bench.write("template.json", {
    builders: names.map(local),
    provisioners: [{
      type: "shell",
      inline: [
        // The parent of the script is the shell that the communicator started.
        "echo started by $(cut -d' ' -f4 /proc/$PPID/stat):",
        "echo waiting; read line < go-$PACKER_BUILD_NAME",
      ],
    }],
    "post-processors": ["manifest"],
  });
  for (const name of names) await tool(bench, "mkfifo", `go-${name}`);
  const run = bench.start(["build", "template.json"]);
  for (const name of names) await run.shows(`${name}: waiting`);
  return run;
}

forEachHost(
  "the bundled components of a build share a process, a child of the host, and two builds share none",
  async (bench) => {
    const names = ["one", "two"];
    const run = await startWaiting(bench, names);
    const children = await childrenOf(run.pid);
    for (const name of names) await bench.write(`go-${name}`, "\n");
    const { code, stdout } = await run.ended();
    assertEquals(code, 0, stdout);
    const pids = children.filter(({ command }) => / plugin$/.test(command))
      .map(({ pid }) => String(pid));
    assertEquals(pids.length, 2, Deno.inspect(children));
    const starters = [...stdout.matchAll(/started by (\d+):/g)]
      .map(([, pid]) => pid);
    assertEquals(starters.sort(), pids.sort());
  },
  { ignore: NOT_LINUX },
);

forEachHost(
  "when the bundled components of a build die, the error names the calls in flight, and the other build continues",
  async (bench) => {
    const run = await startWaiting(bench, ["one", "two"]);
    const output = await run.shows(/one: started by \d+/);
    const pid = /one: started by (\d+)/.exec(output)![1]!;
    Deno.kill(Number(pid), "SIGKILL");
    await run.shows("Build 'one' errored");
    await bench.write("go-two", "\n");
    const ended = await run.ended();
    assertEquals(ended.code, 1, ended.output);
    assertForPeople(ended);
    assertStringIncludes(
      ended.output,
      "baler-bundled was killed by SIGKILL (in run() of baler-builder-null, " +
        "provision() of baler-provisioner-shell)",
    );
    assertMatch(ended.output, /Build 'two' finished/);
    // A killed process cannot remove its script.
    await Deno.remove(bench.env.TMPDIR!, { recursive: true });
    await Deno.mkdir(bench.env.TMPDIR!);
  },
  { ignore: NOT_LINUX },
);

forEachHost(
  "data that a builder publishes reaches provisioners and post-processors",
  async (bench) => {
    const plugin = await examplePlugin("baler-builder-custom-cloud");
    await bench.builds({
      plugins: { builders: { cloud: plugin } },
      builders: [{ type: "cloud" }],
      provisioners: [{
        type: "shell-local",
        inline: ["echo {{build `ID`}} > provisioner"],
      }],
      "post-processors": [{
        type: "shell-local",
        inline: ["echo {{build `ID`}} > post-processor"],
      }],
    });
    const { id } = JSON.parse(await bench.read("images/cloud.json"));
    assertEquals(await bench.read("provisioner"), `${id}\n`);
    assertEquals(await bench.read("post-processor"), `${id}\n`);
  },
);

forEachHost(
  "builds run in parallel, and one at a time with -parallel-builds=1",
  async (bench) => {
    await tool(bench, "mkfifo", "there");
    // Each end of a named pipe waits for the other: one at a time, these two builds would block forever.
    const meeting = {
      builders: [local("writer"), local("reader")],
      provisioners: [{
        type: "shell",
        override: {
          writer: { inline: ["echo met > there"] },
          reader: { inline: ["cat < there"] },
        },
      }],
    };
    assertStringIncludes((await bench.builds(meeting)).stdout, "reader: met");

    const { stdout } = await bench.builds({
      builders: [local("one"), local("two"), local("three")],
      provisioners: [{
        type: "shell",
        inline: ["echo alone"],
      }],
    }, ["-parallel-builds=1"]);
    const turns = [...stdout.matchAll(/^(?:==>| {3}) (one|two|three): /gm)]
      .map(([, name]) => name!)
      .filter((name, index, all) => name !== all[index - 1]);
    assertEquals(turns.toSorted(), ["one", "three", "two"], stdout);
  },
);

forEachHost(
  "a provisioner's only, except and override select its builds and options",
  async (bench) => {
    const { stdout } = await bench.builds({
      builders: [local("one"), local("two"), local("three")],
      provisioners: [
        { type: "shell", inline: ["echo only"], only: ["one"] },
        { type: "shell", inline: ["echo except"], except: ["one"] },
        {
          type: "shell",
          inline: ["echo usual"],
          override: { two: { inline: ["echo other"] } },
        },
      ],
    });
    const said = (name: string) =>
      [...stdout.matchAll(new RegExp(`^    ${name}: (.*)$`, "gm"))]
        .map(([, line]) => line);
    assertEquals(said("one"), ["only", "usual"]);
    assertEquals(said("two"), ["except", "other"]);
    assertEquals(said("three"), ["except", "usual"]);
  },
);

forEachHost(
  "-only and -except select builds by name and by pattern",
  async (bench) => {
    const template = { builders: [file("web-1"), file("web-2"), file("db")] };
    await bench.builds(template, ["-only=web-*"]);
    assertEquals(await bench.names(), [
      "template.json",
      "web-1.txt",
      "web-2.txt",
    ]);
    await bench.builds(template, ["-except", "web-1,web-2"]);
    assertEquals((await bench.names())[0], "db.txt");
  },
);

forEachHost(
  "-except leaves out a post-processor by its name",
  async (bench) => {
    await bench.builds({
      builders: [file("one")],
      "post-processors": [
        { type: "shell-local", inline: ["touch first"] },
        { type: "shell-local", name: "extra", inline: ["touch second"] },
      ],
    }, ["-except=extra"]);
    assertEquals(await bench.names(), ["first", "one.txt", "template.json"]);
  },
);

forEachHost("pause_before waits before the provisioner", async (bench) => {
  const begin = performance.now();
  const { stdout } = await bench.builds({
    builders: [local("one")],
    provisioners: [{
      type: "shell",
      pause_before: "700ms",
      inline: ["echo done"],
    }],
  });
  assert(performance.now() - begin >= 700);
  assertInOrder(stdout, [
    "==> one: Pausing 700ms before the next provisioner...",
    "    one: done",
  ]);
});

forEachHost(
  "max_retries retries a provisioner until it succeeds, at most that often",
  async (bench) => {
    const template = (max_retries: number) => ({
      builders: [local("one")],
      provisioners: [{
        type: "shell",
        max_retries,
        inline: ["echo try >> tries", "test $(wc -l < tries) -ge 3"],
      }],
    });
    await bench.builds(template(2));
    assertEquals(await bench.read("tries"), "try\n".repeat(3));
    await Deno.remove(bench.at("tries"));
    await fails(bench, template(1));
    assertEquals(await bench.read("tries"), "try\n".repeat(2));
  },
);

forEachHost(
  "timeout cancels a provisioner, and the build fails",
  async (bench) => {
    const { output } = await fails(bench, {
      builders: [local("one")],
      provisioners: [{
        type: "shell",
        timeout: "500ms",
        inline: ["sleep 600"],
      }],
    });
    assertMatch(output, /time(d)? ?out|500ms/i);
  },
);

forEachHost(
  "a timeout of months does not expire immediately",
  async (bench) => {
    await bench.builds(
      {
        builders: [local("one")],
        provisioners: [{
          type: "shell-local",
          timeout: "5000h",
          inline: ["sleep 0.1"],
        }],
      },
      [],
      {
        env: {
          BALER_PLUGIN_START_TIMEOUT: "5000h",
          BALER_PLUGIN_ANSWER_TIMEOUT: "50000h",
          BALER_PLUGIN_GRACE: "5000h",
        },
      },
    );
  },
);

forEachHost(
  "a builder that fails does not affect the other builds",
  async (bench) => {
    const { stdout } = await fails(bench, {
      builders: [
        { type: "file", name: "bad", source: "missing", target: "bad.txt" },
        file("good"),
      ],
    });
    assertEquals(await bench.read("good.txt"), "content of good\n");
    assertMatch(stdout, /^Build 'bad' errored after .*missing/m);
    assertInOrder(stdout, [
      "==> Some builds didn't complete successfully and had errors:",
      "--> bad: ",
      "==> Builds finished. The artifacts of successful builds are:",
      "--> good: Stored file: good.txt",
    ]);
  },
);

forEachHost(
  "a provisioner that fails stops its build, which cleans up, and does not affect the others",
  async (bench) => {
    const { stdout } = await fails(bench, {
      builders: [file("bad"), file("good")],
      provisioners: [
        { type: "shell-local", inline: ["exit 7"], only: ["bad"] },
        { type: "shell-local", inline: ["touch $PACKER_BUILD_NAME.next"] },
      ],
      "post-processors": [{
        type: "shell-local",
        inline: ["touch $PACKER_BUILD_NAME.post"],
      }],
    });
    assertEquals(await bench.names(), [
      "good.next",
      "good.post",
      "good.txt",
      "template.json",
    ]);
    assertMatch(stdout, /^--> bad: .*\b7\b/m);
  },
);

forEachHost(
  "a post-processor that fails stops its build, and does not affect the others",
  async (bench) => {
    const { stdout } = await fails(bench, {
      builders: [file("bad"), file("good")],
      "post-processors": [[
        { type: "shell-local", inline: ['test "$PACKER_BUILD_NAME" = good'] },
        { type: "shell-local", inline: ["touch $PACKER_BUILD_NAME.post"] },
      ]],
    });
    assertEquals(
      (await bench.names()).filter((name) => name.endsWith(".post")),
      ["good.post"],
    );
    assertMatch(stdout, /^--> bad: [^>]*non-zero exit status: 1\b/m);
  },
);

forEachHost(
  "the input artifact of a post-processor is destroyed unless keep_input_artifact is true",
  async (bench) => {
    const template = (keep: boolean | undefined) => ({
      builders: [file("one")],
      "post-processors": [{
        type: "compress",
        output: "one.tar",
        keep_input_artifact: keep,
      }],
    });
    await bench.builds(template(undefined));
    assertEquals(await bench.names(), ["one.tar", "template.json"]);
    await bench.builds(template(true));
    assertEquals(await bench.names(), ["one.tar", "one.txt", "template.json"]);
  },
);

forEachHost(
  "a sequence passes each artifact on, and destroys those in between",
  async (bench) => {
    const { stdout } = await bench.builds({
      builders: [file("one")],
      "post-processors": [[
        { type: "compress", output: "inner.tar" },
        { type: "compress", output: "outer.tar" },
      ]],
    });
    assertEquals(await bench.names(), ["outer.tar", "template.json"]);
    assertEquals(await tool(bench, "tar", "-tf", "outer.tar"), "inner.tar\n");
    assertMatch(stdout, /^--> one: compressed artifacts in: outer\.tar$/m);
    assertNotMatch(stdout, /^--> one: .*inner\.tar/m);
  },
);

forEachHost(
  "each sequence starts from the builder's artifact, which is kept until all are done",
  async (bench) => {
    await bench.builds({
      builders: [file("one")],
      "post-processors": [
        [{ type: "compress", output: "first.tar" }],
        [{ type: "compress", output: "second.tar" }],
      ],
    });
    assertEquals(await bench.names(), [
      "first.tar",
      "second.tar",
      "template.json",
    ]);
    for (const name of ["first.tar", "second.tar"]) {
      assertEquals(await tool(bench, "tar", "-tf", name), "one.txt\n");
    }
  },
);

forEachHost(
  "a template is read from stdin when its name is -",
  async (bench) => {
    await bench.succeeds(["build", "-"], {
      stdin: JSON.stringify({ builders: [file("one")] }),
    });
    assertEquals(await bench.names(), ["one.txt"]);
  },
);

forEachHost(
  "-var takes precedence over -var-file, and that over the template's defaults",
  async (bench) => {
    await bench.write("vars.json", { b: "file", c: "file" });
    await bench.builds({
      variables: { a: "template", b: "template", c: "template" },
      builders: [{
        ...file("one"),
        content: "{{user `a`}} {{user `b`}} {{user `c`}}",
      }],
    }, ["-var-file=vars.json", "-var", "c=x=y"]);
    assertEquals(await bench.read("one.txt"), "template file x=y");
  },
);

forEachHost("colors are for terminals: a pipe gets none", async (bench) => {
  const { output } = await bench.builds({ builders: [file("one")] }, [
    "-color=true",
  ]);
  assert(!output.includes("\x1b"), output);
});

forEachHost(
  "-timestamp-ui prefixes each line with the time",
  async (bench) => {
    const { stdout } = await bench.builds({ builders: [file("one")] }, [
      "-timestamp-ui",
    ]);
    assertMatch(
      stdout,
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ: Build 'one' finished/m,
    );
  },
);

forEachHost(
  "a build whose configuration is rejected does not affect the others",
  async (bench) => {
    const { output } = await fails(bench, {
      builders: [{ ...file("bad"), target: undefined }, file("good")],
    });
    assertStringIncludes(output, 'Failed to prepare build: "bad"');
    assertEquals(await bench.read("good.txt"), "content of good\n");
  },
);
