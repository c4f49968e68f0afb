// A TypeScript plugin under the real Packer, in templates of JSON.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { type Ended, forEachPacker } from "./packers.ts";
import { pattern, sha256 } from "./support.ts";

/** That texts stand in this order. */
function assertOrder({ output }: Ended, ...texts: string[]): void {
  let at = 0;
  for (const text of texts) {
    const found = output.indexOf(text, at);
    assert(found >= 0, `"${text}" is missing, or comes too early:\n${output}`);
    at = found + text.length;
  }
}

await forEachPacker("everything crosses in one build", async (run) => {
  const { machine, greet, label } = run.names;
  await run.write("script.sh", "echo script {{.}} $COLOUR; echo bad >&2\n");
  const ended = await run.build({
    variables: { secret: "hunter22" },
    "sensitive-variables": ["secret"],
    builders: [{
      type: machine,
      name: "first",
      whom: "{{build_name}}",
      token: "{{user `secret`}}",
      number: 13,
      tags: ["a", "b"],
      labels: { k: "v" },
      pause: "1m",
      lines: 200,
    }],
    provisioners: [
      {
        type: "shell",
        script: "script.sh",
        environment_vars: ["COLOUR={{build `Color`}}"],
      },
      { type: "shell", inline: ["echo inline {{build `ID`}}"] },
      {
        type: greet,
        text: "for {{build `Color`}} {{build `ID`}}",
        then: "run",
      },
      { type: "file", source: "script.sh", destination: run.at("copied.sh") },
    ],
    "post-processors": [[
      { type: label, label: "{{build_name}}-{{build `Color`}}" },
      { type: label, label: "second" },
    ]],
  });
  assertEquals(ended.code, 0, ended.output + ended.log);
  assertOrder(
    ended,
    "greeting first",
    `${run.title("first")}: hello first`,
    ...Array.from({ length: 200 }, (_, line) => `first: line ${line}\n`),
    "script {{.}} blue",
    "inline i-1",
    "greeting for blue i-1",
    "data blue i-1",
    "ran 7 fed wrong",
    "silent 0",
    "label first-blue on image image-1 for first (test.machine, image-1)",
    'size {"bytes":7}',
    "label second on label first-blue (test.label, first-blue)",
    `--> ${run.title("first")}: label second`,
  );
  assert(!ended.output.includes("hunter22"), ended.output);
  const notes = await run.notes();
  assert(
    notes.some((line) => line.includes('"token":"hunter22"')) ||
      notes.some((line) => line.includes('"token":"<sensitive>"')),
    notes.join("\n"),
  );
  assertStringIncludes(notes[0]!, '"number":13');
  assertStringIncludes(notes[0]!, '"pause":60000');
  const build = JSON.parse(
    notes.find((line) => line.startsWith("build "))!.slice("build ".length),
  );
  assertEquals(build.name, "first");
  assertEquals(build.type, machine);
  assertEquals(build.onError, "cleanup");
  assertEquals([build.debug, build.force], [false, false]);
  assertEquals(build.templatePath, run.at("t.json"));
  // Artifacts that were given away, and that nobody keeps.
  assert(notes.includes("artifact destroyed"));
  assert(notes.includes("label destroyed"));
  assertEquals(
    await Deno.readTextFile(run.at("copied.sh")),
    await Deno.readTextFile(run.at("script.sh")),
  );
  // The script's uploads have Go's modes and sizes.
  assert(
    notes.some((line) => /upload .*copied\.sh 644 \d+$/.test(line)),
    notes.join("\n"),
  );
});

await forEachPacker("what Packer's log is told", async (run) => {
  const { machine, greet } = run.names;
  const { code, log, output } = await run.build({
    builders: [{ type: machine }],
    provisioners: [{ type: greet, text: "x" }],
  });
  assertEquals(code, 0, output);
  // A provisioner has no place for warnings.
  assertMatch(log, /plugin: .*a greeting is no secret/);
  assert(
    !/ERR|panic|yamux/.test(log.replaceAll(/\[ERR\] Checkpoint.*/g, "")),
    log,
  );
});

await forEachPacker(
  "problems of a configuration are shown by validate",
  async (run) => {
    const { machine, greet, label } = run.names;
    const template = (builder: object, provisioner: object = {}) => ({
      builders: [{ type: machine, ...builder }],
      provisioners: [{ type: greet, text: "x", ...provisioner }],
      "post-processors": [label],
    });
    for (
      const [builder, provisioner, message] of [
        [{ wohm: "x" }, {}, 'unknown key "wohm"; did you mean "whom"?'],
        [{ whom: "nobody" }, {}, "nobody is no one to greet"],
        [{}, { mood: "odd" }, '"mood" must be one of "glad", "sad"'],
        [{}, { text: undefined }, '"text" must be given'],
        [{ number: "many" }, {}, '"number" must be a number'],
      ] as const
    ) {
      await run.write("t.json", template(builder, provisioner));
      const { code, output } = await run.run(["validate", "t.json"]);
      assertEquals(code, 1, output);
      assertStringIncludes(output, message);
    }
    await run.write("t.json", template({}));
    const { code, output } = await run.run(["validate", "t.json"]);
    assertEquals(code, 0, output);
  },
);

await forEachPacker(
  "-debug, -force and -on-error reach the plugin",
  async (run) => {
    const { machine } = run.names;
    const template = { builders: [{ type: machine }] };
    const { code, output } = await run.build(
      template,
      "-force",
      "-on-error=run-cleanup-provisioner",
      "-debug",
    );
    assertEquals(code, 0, output);
    const notes = await run.notes();
    const build = JSON.parse(
      notes.find((line) => line.startsWith("build "))!.slice(6),
    );
    assertEquals([build.debug, build.force, build.onError], [
      true,
      true,
      "run-cleanup-provisioner",
    ]);
  },
);

await forEachPacker(
  "a failure cleans up, with the error-cleanup provisioner",
  async (run) => {
    const { machine, greet } = run.names;
    const ended = await run.build({
      builders: [{ type: machine }],
      provisioners: [{ type: greet, text: "x", then: "fail" }],
      "error-cleanup-provisioner": { type: "shell", inline: ["echo sweeping"] },
    });
    assertEquals(ended.code, 1);
    assertOrder(ended, "greeting x", "sweeping", "cleaning up", "no manners");
    assert((await run.notes()).includes("builder cleaned up"));
  },
);

await forEachPacker(
  "a builder's and a post-processor's errors are shown",
  async (run) => {
    const { machine, label } = run.names;
    const failed = await run.build({
      builders: [{ type: machine, then: "fail" }],
    });
    assertEquals(failed.code, 1);
    assertStringIncludes(failed.output, "the cloud is full");
    const dry = await run.build({
      builders: [{ type: machine }],
      "post-processors": [{ type: label, then: "fail" }],
    });
    assertEquals(dry.code, 1);
    assertStringIncludes(dry.output, "the glue is dry");
  },
);

await forEachPacker("no artifact, no communicator, no answer", async (run) => {
  const { machine } = run.names;
  const nothing = await run.build({
    builders: [{ type: machine, then: "nothing" }],
  });
  assertEquals(nothing.code, 0, nothing.output);
  const without = await run.build({
    builders: [{ type: machine, then: "no communicator" }],
    provisioners: [{
      type: "shell",
      inline: ["true"],
      start_retry_timeout: "1s",
      timeout: "20s",
    }],
  });
  assertEquals(without.code, 1, without.output);
  assertStringIncludes(without.output, "can't find method Communicator.");
  const asked = await run.build({ builders: [{ type: machine, then: "ask" }] });
  assertEquals(asked.code, 1);
  assertMatch(asked.output, /tty|terminal/i);
});

await forEachPacker("progress and a machine-readable build", async (run) => {
  const { machine } = run.names;
  const { code, stdout } = await run.build(
    { builders: [{ type: machine, then: "progress" }] },
    "-machine-readable",
  );
  assertEquals(code, 0, stdout);
  assertStringIncludes(stdout, "artifact,0,builder-id,test.machine");
});

await forEachPacker("keep and mustKeep decide what is left", async (run) => {
  const { machine, label } = run.names;
  for (
    const [postProcessor, isDestroyed] of [
      [{}, true],
      [{ keep: true }, false],
      [{ keep_input_artifact: true }, false],
      [{ keep: true, keep_input_artifact: false }, true],
      [{ keep: true, must_keep: true, keep_input_artifact: false }, false],
      [{ then: "same", keep: true }, false],
    ] as const
  ) {
    await Deno.remove(`${run.path}/notes`).catch(() => {});
    const { code, output } = await run.build({
      builders: [{ type: machine }],
      "post-processors": [[{ type: label, label: "x", ...postProcessor }]],
    });
    assertEquals(code, 0, output);
    const notes = await run.notes();
    assertEquals(
      notes.includes("artifact destroyed"),
      isDestroyed,
      JSON.stringify(postProcessor) + output,
    );
  }
});

await forEachPacker(
  "the artifact that came in can be passed on",
  async (run) => {
    const { machine, label } = run.names;
    const ended = await run.build({
      builders: [{ type: machine, file: "disk.img" }],
      "post-processors": [[
        { type: label, label: "one", then: "same", keep: true },
        {
          type: label,
          label: "two-{{build `Color`}}",
          then: "same",
          keep: true,
        },
        { type: "manifest", output: "manifest.json" },
      ]],
    });
    assertEquals(ended.code, 0, ended.output);
    assertOrder(
      ended,
      "label one on image image-1",
      "label two-blue on image image-1",
      'size {"bytes":7}',
    );
    const { builds } = JSON.parse(
      await Deno.readTextFile(run.at("manifest.json")),
    );
    assertEquals(builds[0].artifact_id, "image-1");
  },
);

await forEachPacker("an interrupt lets the builder clean up", async (run) => {
  const { machine } = run.names;
  await run.write("t.json", { builders: [{ type: machine, then: "wait" }] });
  const packer = run.start(["build", "t.json"]);
  await packer.shows("waiting");
  packer.signal("SIGINT");
  const { code, output } = await packer.ended();
  assertEquals(code, 1, output);
  assertStringIncludes(output, "cleaning up");
  assert((await run.notes()).includes("builder cleaned up"));
});

await forEachPacker("an interrupt reaches the provisioner", async (run) => {
  const { machine, greet } = run.names;
  await run.write("t.json", {
    builders: [{ type: machine }],
    provisioners: [{ type: greet, text: "x", then: "wait" }],
  });
  const packer = run.start(["build", "t.json"]);
  await packer.shows("provisioner waits");
  packer.signal("SIGINT");
  const { code, output } = await packer.ended();
  assertEquals(code, 1, output);
  const notes = await run.notes();
  assert(notes.includes("provisioner aborted"), output + notes.join("\n"));
  assert(notes.includes("builder cleaned up"));
});

await forEachPacker(
  "a plugin that dies fails its build, and no other",
  async (run) => {
    const { machine } = run.names;
    const { code, output, log } = await run.build({
      builders: [
        { type: machine, name: "dying", then: "die" },
        { type: machine, name: "well", lines: 3 },
      ],
    });
    assertEquals(code, 1);
    assertMatch(output, /Build '.*dying' errored.*: unexpected EOF/);
    assertStringIncludes(
      output,
      `--> ${run.title("well")}: image image-1 for world`,
    );
    assertStringIncludes(log, "last words");
  },
);

await forEachPacker(
  "64 MiB go up and down, byte by byte the same",
  async (run) => {
    const { machine, greet } = run.names;
    const content = pattern(64 * 1024 * 1024);
    await Deno.writeFile(run.at("big"), content);
    const ended = await run.build({
      builders: [{ type: machine }],
      provisioners: [
        { type: "file", source: "big", destination: run.at("up") },
        {
          type: "file",
          source: run.at("up"),
          destination: run.at("down"),
          direction: "download",
        },
        { type: greet, text: "x", then: "copy", file: run.at("big") },
      ],
    });
    assertEquals(ended.code, 0, ended.output);
    const hash = await sha256(content);
    for (const name of ["up", "down", "big.there", "big.back"]) {
      assertEquals(await sha256(await Deno.readFile(run.at(name))), hash, name);
    }
    assertEquals((await Deno.stat(run.at("big.there"))).mode! & 0o777, 0o750);
  },
);

await forEachPacker("directories and refused files", async (run) => {
  const { machine } = run.names;
  await Deno.mkdir(run.at("folder"));
  await Deno.writeTextFile(run.at("folder/one"), "1");
  const copied = await run.build({
    builders: [{ type: machine }],
    provisioners: [{
      type: "file",
      source: "folder",
      destination: run.at("there"),
    }],
  });
  assertEquals(copied.code, 0, copied.output);
  assertEquals(await Deno.readTextFile(run.at("there/one")), "1");
  const refused = await run.build({
    builders: [{ type: machine }],
    provisioners: [{ type: "file", source: "t.json", destination: "/refused" }],
  });
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.output, "no room for it");
});

await forEachPacker("builds side by side", async (run) => {
  const { machine, greet, label } = run.names;
  const { code, output } = await run.build({
    builders: Array.from({ length: 4 }, (_, index) => ({
      type: machine,
      name: `b${index}`,
      whom: `w${index}`,
      lines: 50,
    })),
    provisioners: [{ type: greet, text: "x", then: "run" }],
    "post-processors": [{ type: label, label: "{{build_name}}" }],
  });
  assertEquals(code, 0, output);
  for (let index = 0; index < 4; index++) {
    assertStringIncludes(
      output,
      `--> ${run.title(`b${index}`)}: label b${index}`,
    );
    const lines = output.split("\n").filter((line) =>
      line.includes(`b${index}: line `)
    );
    assertEquals(
      lines.map((line) => Number(line.trim().split(" ").at(-1))),
      Array.from({ length: 50 }, (_, line) => line),
    );
  }
});
