// A TypeScript plugin under the real Packer, in templates of HCL2: `ConfigSpec`
// in gob and protobuf, values that are not known at first, typed arguments.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { forEachPacker, type PackerRun } from "./packers.ts";

/** Runs a command of Packer's with a template of HCL2. */
async function withTemplate(
  run: PackerRun,
  command: string,
  template: string,
  ...flags: string[]
) {
  const { machine, greet, label } = run.names;
  await run.write(
    "t.pkr.hcl",
    template.replaceAll("MACHINE", machine).replaceAll("GREET", greet)
      .replaceAll("LABEL", label),
  );
  return await run.run([command, ...flags, "t.pkr.hcl"]);
}

await forEachPacker(
  "HCL2 hands over every type, and build data later",
  async (run) => {
    const { code, output, log } = await withTemplate(
      run,
      "build",
      `
variable "secret" {
  type      = string
  default   = "hunter22"
  sensitive = true
}
source "MACHINE" "one" {
  whom   = "HCL"
  token  = var.secret
  number = 13
  fast   = true
  tags   = ["a", "b"]
  labels = { k = "v" }
  pause  = "1m30s"
  lines  = 3
}
build {
  sources = ["source.MACHINE.one"]
  provisioner "GREET" {
    text   = "\${build.Color} for \${build.ID}"
    mood   = "glad"
    number = 2.5
    more   = jsonencode({ deep = [1, { x = "y" }] })
    then   = "run"
  }
  provisioner "shell" {
    inline = ["echo shell \${build.Color}"]
  }
  post-processor "LABEL" {
    label = "image-\${build.Color}"
  }
}
`,
    );
    assertEquals(code, 0, output + log);
    for (
      const text of [
        "hello HCL",
        "line 2",
        "greeting blue for i-1",
        "ran 7 fed wrong",
        "shell blue",
        "label image-blue on image image-1",
        "label image-blue",
      ]
    ) assertStringIncludes(output, text);
    assert(!output.includes("hunter22"), output);
    const notes = await run.notes();
    const config = JSON.parse(
      notes.find((line) => line.startsWith("builder prepared "))!.slice(17),
    );
    const { token, ...rest } = config;
    assert(token === "hunter22" || token === "<sensitive>", token);
    // Nothing that the template does not set.
    assertEquals(rest, {
      whom: "HCL",
      number: 13,
      fast: true,
      tags: ["a", "b"],
      labels: { k: "v" },
      pause: 90_000,
      lines: 3,
    });
    const greetings = notes.filter((line) => line.startsWith("greet prepared "))
      .map((line) => JSON.parse(line.slice(15)));
    // Once with what is not known yet, once for good.
    assertEquals(greetings.length, 2);
    assertStringIncludes(greetings[0].text, "<unknown>");
    assertEquals(greetings[1], {
      text: "blue for i-1",
      mood: "glad",
      number: 2.5,
      more: { deep: [1, { x: "y" }] },
      then: "run",
    });
  },
);

/** What the builder of the test plugin gets of nested options. */
const NESTED = {
  whom: "world",
  lines: 0,
  network: { name: "lan", wait: 2000, more: { deep: [1] } },
  disks: [
    { size: 1, labels: [{ text: "a" }, { text: "b" }] },
    { size: 2, labels: [] },
  ],
};

/** Packer 1.6 ends at blocks: its builds have different names for what is in them. */
function hasBlocks({ name }: { name: string }): boolean {
  return name !== "1.6.6";
}

/** The configuration that the test plugin's builder was prepared with at last. */
async function preparedBuilder(run: PackerRun): Promise<unknown> {
  const line = (await run.notes()).findLast((line) =>
    line.startsWith("builder prepared ")
  );
  return JSON.parse(line!.slice("builder prepared ".length));
}

await forEachPacker("nested options are blocks of HCL2", async (run) => {
  const { code, output, log } = await withTemplate(
    run,
    "build",
    `
locals {
  sizes = [1, 2]
}
source "MACHINE" "one" {
  network {
    name = "lan"
    wait = "2s"
    more = jsonencode({ deep = [1] })
  }
  disks {
    size = local.sizes[0]
    labels {
      text = "a"
    }
    labels {
      text = "b"
    }
  }
  disks {
    size = local.sizes[1]
  }
}
build {
  sources = ["source.MACHINE.one"]
}
`,
  );
  assertEquals(code, 0, output + log);
  assertEquals(await preparedBuilder(run), NESTED);
}, { wanted: hasBlocks });

await forEachPacker("nested options are JSON in Packer 1.6", async (run) => {
  const { code, output, log } = await withTemplate(
    run,
    "build",
    `
source "MACHINE" "one" {
  network = jsonencode({ name = "lan", wait = "2s", more = { deep = [1] } })
  disks = jsonencode([
    { size = 1, labels = [{ text = "a" }, { text = "b" }] }, { size = 2 },
  ])
}
build {
  sources = ["source.MACHINE.one"]
}
`,
  );
  assertEquals(code, 0, output + log);
  assertEquals(await preparedBuilder(run), NESTED);
}, { wanted: (version) => !hasBlocks(version) });

await forEachPacker("nested options are objects of JSON", async (run) => {
  const { network, disks } = NESTED;
  await run.write("t.json", {
    builders: [{
      type: run.names.machine,
      network: { ...network, wait: "2s" },
      disks,
    }],
  });
  const { code, output, log } = await run.run(["build", "t.json"]);
  assertEquals(code, 0, output + log);
  assertEquals(await preparedBuilder(run), NESTED);
});

await forEachPacker("what is not known yet passes every check", async (run) => {
  const { code, output, log } = await withTemplate(
    run,
    "build",
    `
source "MACHINE" "one" {}
build {
  sources = ["source.MACHINE.one"]
  provisioner "GREET" {
    text  = "x"
    mood  = "\${build.ID == "i-1" ? "glad" : "sad"}"
    pause = "\${length(build.ID)}s"
  }
}
`,
  );
  assertEquals(code, 0, output + log);
  const greetings = (await run.notes()).filter((line) =>
    line.startsWith("greet prepared ")
  );
  assertStringIncludes(greetings.at(-1)!, '"mood":"glad"');
  assertStringIncludes(greetings.at(-1)!, '"pause":3000');
});

await forEachPacker("and is checked when it is known", async (run) => {
  const { code, output } = await withTemplate(
    run,
    "build",
    `
source "MACHINE" "one" {}
build {
  sources = ["source.MACHINE.one"]
  provisioner "GREET" {
    text = "x"
    mood = "\${build.ID}"
  }
}
`,
  );
  assertEquals(code, 1, output);
  assertStringIncludes(
    output,
    '"mood" must be one of "glad", "sad", not "i-1"',
  );
});

await forEachPacker(
  "Packer checks the arguments of HCL2 by the declared options",
  async (run) => {
    await refused(run, [
      [
        'wohm = "x"',
        'text = "x"',
        /An argument named "wohm" is not expected here/,
      ],
      ["", "", /The argument "text" is required/],
      ['number = ["x"]', 'text = "x"', /number required/],
      ["", 'text = "x"\n more = { a = 1 }', /string required/],
      // What the plugin checks itself is told where the template is read, too.
      [
        "",
        'text = "x"\n mood = "odd"',
        /"mood" must be one of "glad", "sad", not "odd"/,
      ],
      ['whom = "nobody"', 'text = "x"', /nobody is no one to greet/],
    ]);
  },
);

await forEachPacker("and the arguments of blocks", async (run) => {
  const text = 'text = "x"';
  await refused(run, [
    [
      'network {\n nam = "x"\n }',
      text,
      /An argument named "nam" is not expected here/,
    ],
    ["disks {\n}", text, /The argument "size" is required/],
    ["disks = []", text, /An argument named "disks" is not/],
    [
      'network {\n name = "x"\n}\nnetwork {\n name = "y"\n}',
      text,
      /Duplicate network block/,
    ],
    [
      'network {\n name = "x"\n wait = "soon"\n}',
      text,
      /"network.wait" must be a duration/,
    ],
  ]);
}, { wanted: hasBlocks });

/** Has Packer validate templates, each with a message that it refuses it with. */
async function refused(
  run: PackerRun,
  cases: [builder: string, provisioner: string, message: RegExp][],
): Promise<void> {
  for (const [builder, provisioner, message] of cases) {
    const { code, output } = await withTemplate(
      run,
      "validate",
      `
source "MACHINE" "one" {
  ${builder}
}
build {
  sources = ["source.MACHINE.one"]
  provisioner "GREET" {
    ${provisioner}
  }
}
`,
    );
    assertEquals(code, 1, output);
    assert(message.test(output), `${message} is not in:\n${output}`);
  }
}

await forEachPacker(
  "gob is spoken to those who cannot read protobuf, and protobuf to the others",
  async (run) => {
    const { log } = await withTemplate(
      run,
      "validate",
      `
source "MACHINE" "one" {}
build {
  sources = ["source.MACHINE.one"]
}
`,
    );
    const isProtobuf = /Starting plugin.*--protobuf/.test(log);
    assertEquals(isProtobuf, run.version.name === "1.16.0", log);
  },
  { wanted: ({ isOldStyle }) => !isOldStyle },
);
