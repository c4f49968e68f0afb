// Bad input of every kind: one error with what is wrong, where, and what to do; the documented exit
// code; no stack trace, and no process left.

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  assertForPeople,
  fixturePlugin,
  forEachHost,
  type RunOptions,
  type Workspace,
} from "../support/harness.ts";

const fine = { builders: [{ type: "null", communicator: "none" }] };
const at = (plugin: unknown) => ({ builders: { mine: plugin } });
const fileBuilder = (more: Record<string, unknown>) => ({
  builders: [{ type: "file", content: "x", target: "x.txt", ...more }],
});

interface Case extends RunOptions {
  /** The template, in `template.json`: a string, or a JSON value. */
  template?: unknown;
  /** Prepares other files. */
  setUp?(bench: Workspace): Promise<unknown>;
  /** The arguments of `baler`; `build template.json` unless given. */
  args?: string[];
  /** The parts of the error message. */
  messageParts: (string | RegExp)[];
  /** 1 unless given. */
  code?: number;
}

function refuses(door: string, wrong: Case) {
  forEachHost(`${door} is refused`, async (bench) => {
    if (wrong.template !== undefined) {
      await bench.write("template.json", wrong.template);
    }
    await wrong.setUp?.(bench);
    const args = (wrong.args ?? ["build", "template.json"])
      .map((word) => word.replaceAll("$WORK", bench.path));
    const env = Object.fromEntries(
      Object.entries(wrong.env ?? {}).map(
        ([name, value]) => [name, value.replaceAll("$WORK", bench.path)],
      ),
    );
    const ended = await bench.baler(args, { ...wrong, env });
    assertEquals(ended.code, wrong.code ?? 1, ended.output);
    for (const part of wrong.messageParts) {
      if (typeof part === "string") {
        const text = part.replaceAll("$WORK", bench.path);
        assert(
          ended.output.includes(text),
          `"${text}" is not in:\n${ended.output}`,
        );
      } else assertMatch(ended.output, part);
    }
    assertForPeople(ended);
    assertToldOnce(ended.output, wrong.messageParts[0]!, bench);
  });
}

/**
 * Without the summary, which repeats the error of each build under its name,
 * and without the excerpt of the template.
 */
function assertToldOnce(
  output: string,
  what: string | RegExp,
  bench: Workspace,
) {
  if (typeof what !== "string") return;
  const summary = output.indexOf("==> Some builds didn't complete");
  const before = (summary === -1 ? output : output.slice(0, summary))
    .replaceAll(/^ {4}.*\n *\^$/gm, "");
  const times = before.split(what.replaceAll("$WORK", bench.path)).length - 1;
  assertEquals(times, 1, `told ${times} times:\n${output}`);
}

// The template itself.

refuses("a template that is not JSON", {
  template: '{\n  "builders": [\n    {"type": "null",}\n  ]\n}\n',
  messageParts: ["template.json:3:20: ", '{"type": "null",}', /^ +\^$/m],
});
refuses("a template that ends too early", {
  template: '{\n  "builders": [\n',
  messageParts: [/template\.json:\d+:\d+: /, '"]"'],
});
refuses("an empty template", {
  template: "",
  messageParts: ["template.json:1:1: "],
});
refuses("a template that is a list", {
  template: "[]",
  messageParts: ["template.json:1:1: ", "list", '{"builders": [...]}'],
});
refuses("a template that is not UTF-8", {
  setUp: (bench) =>
    Deno.writeFile(
      bench.at("template.json"),
      new Uint8Array([0x7b, 0xff, 0xfe, 0x00, 0x7d]),
    ),
  messageParts: [/template\.json/],
});
refuses("a template that does not exist", {
  messageParts: ["cannot read the template template.json", "no such file"],
});
refuses("a template that is a directory", {
  args: ["build", "$WORK"],
  messageParts: ["$WORK is a directory"],
});
refuses("an HCL2 template", {
  args: ["build", "template.pkr.hcl"],
  setUp: (bench) => bench.write("template.pkr.hcl", ""),
  messageParts: ["HCL2 templates are not supported", "JSON"],
});
refuses("an unknown key of the template", {
  template: '{\n  "builders": [{"type": "null"}],\n  "provisoners": []\n}\n',
  messageParts: ["template.json:3:3: ", 'did you mean "provisioners"?'],
});
refuses("a template without builders", {
  template: {},
  messageParts: [/builder/],
});
refuses("an unknown builder", {
  template: '{\n  "builders": [\n    {"type": "fiel"}\n  ]\n}\n',
  messageParts: [
    /template\.json:3:\d+: Unknown builder fiel/,
    'did you mean "file"?',
    "baler plugins",
  ],
});
refuses("an unknown provisioner", {
  template: { ...fine, provisioners: [{ type: "shel" }] },
  messageParts: [/template\.json:\d+:\d+: Unknown provisioner shel/, '"shell"'],
});
refuses("an unknown post-processor", {
  template: { ...fine, "post-processors": ["manifset"] },
  messageParts: [
    /template\.json:\d+:\d+: Unknown post-processor manifset/,
    'did you mean "manifest"?',
  ],
});
refuses("two builders of one name", {
  template: { builders: [...fine.builders, ...fine.builders] },
  messageParts: [/template\.json:\d+:\d+: .*null/],
});
refuses("a min_packer_version that baler does not support", {
  template: { ...fine, min_packer_version: "99.0.0" },
  messageParts: [/template\.json:\d+:\d+: /, "99.0.0", "1.6.6"],
});

// Its variables.

refuses("a variable that refers to itself", {
  template: {
    ...fine,
    variables: { a: "{{user `b`}}", b: "{{user `a`}}" },
  },
  messageParts: [/template\.json:\d+:\d+: /, "a -> b -> a"],
});
refuses("a required variable that is not given", {
  template: { ...fine, variables: { region: null } },
  messageParts: [
    "required variable not set: region",
    "-var 'region=",
    /template\.json:\d+:\d+: /,
  ],
});
refuses("a -var without a value", {
  template: fine,
  args: ["build", "-var", "region", "template.json"],
  messageParts: ["-var must be a name and a value", '"region"'],
  code: 2,
});
refuses("a -var-file that does not exist", {
  template: fine,
  args: ["build", "-var-file=vars.json", "template.json"],
  messageParts: ["vars.json", "no such file"],
});
refuses("a -var-file that is not JSON", {
  template: fine,
  setUp: (bench) => bench.write("vars.json", '{\n  "a": oops\n}\n'),
  args: ["build", "-var-file=vars.json", "template.json"],
  messageParts: ["vars.json:2:8: "],
});
refuses("a -var-file that is a list", {
  template: fine,
  setUp: (bench) => bench.write("vars.json", "[1]"),
  args: ["build", "-var-file=vars.json", "template.json"],
  messageParts: ["vars.json:1:1: ", '{"name": "value"}'],
});
refuses("an unknown template function", {
  template: fileBuilder({ content: "{{nope}}" }),
  messageParts: [/template\.json:\d+:\d+: /, "nope"],
});

// Configurations that a plugin rejects.

refuses("an unknown option of a builder", {
  template: '{"builders": [\n  {"type": "file", "content": "x",\n' +
    '   "taget": "x.txt"}\n]}\n',
  messageParts: ["template.json:3:4: ", 'unknown key "taget"', '"target"?'],
});
refuses("a provisioner's option of the wrong type", {
  template: '{"builders": [{"type": "null", "communicator": "local"}],\n' +
    '"provisioners": [{"type": "shell",\n  "inline": {"a": 1}}]}\n',
  messageParts: [/template\.json:3:\d+: /, "inline"],
});
refuses("a missing required option of a post-processor", {
  template: '{"builders": [{"type": "null", "communicator": "none"}],\n' +
    '"post-processors": [\n  {"type": "artifice"}\n]}\n',
  messageParts: [/template\.json:3:\d+: /, "files"],
});
refuses("a key that `baler fix` renames", {
  template: '{"builders": [{"type": "null", "communicator": "none"}],\n' +
    '"post-processors": [{"type": "manifest",\n  "filename": "x"}]}\n',
  messageParts: [
    /template\.json:3:\d+: unknown key "filename"/,
    '"baler fix" prints the template with its new name',
  ],
});
refuses("a configuration that validate rejects", {
  template: fileBuilder({ nope: 1 }),
  args: ["validate", "template.json"],
  messageParts: [/template\.json:\d+:\d+: unknown key "nope"/],
});

// Plugins.

refuses("a plugin that does not exist", {
  template: at("/nowhere/plugin"),
  messageParts: ["/nowhere/plugin does not exist"],
});
refuses("a plugin that is a directory", {
  setUp: async (bench) => {
    await bench.write("template.json", at(bench.path));
  },
  messageParts: ["$WORK is a directory", "executable in it"],
});
refuses("a plugin that is not executable", {
  setUp: async (bench) => {
    const path = await bench.write("plugin", "#!/bin/sh\n");
    await bench.write("template.json", at(path));
  },
  messageParts: ["$WORK/plugin is not executable", "chmod +x $WORK/plugin"],
});
refuses("a plugin that exits immediately", {
  template: at("/bin/true"),
  messageParts: ["/bin/true exited with code 0", "is it a baler plugin?"],
});
refuses("a plugin that writes something else", {
  template: at(["/bin/echo", "good", "morning"]),
  messageParts: ["is it a baler plugin?", "good morning"],
});
refuses("a plugin that prints an error and exits", {
  setUp: async (bench) => {
    const path = await bench.write(
      "plugin",
      "#!/bin/sh\necho the licence has expired >&2\nexit 3\n",
      { mode: 0o755 },
    );
    await bench.write("template.json", at(path));
  },
  messageParts: ["$WORK/plugin exited with code 3", "the licence has expired"],
});
refuses("a plugin that does not complete the handshake", {
  setUp: async (bench) => {
    const path = await bench.write("plugin", "#!/bin/sh\nexec sleep 600\n", {
      mode: 0o755,
    });
    await bench.write("template.json", at(path));
  },
  env: { BALER_PLUGIN_START_TIMEOUT: "1s" },
  messageParts: ["$WORK/plugin did not complete the handshake within 1 s"],
});
refuses("a plugin for another architecture", {
  setUp: async (bench) => {
    // A real executable of this machine with another `e_machine` in its header.
    const program = await Deno.readFile("/bin/true");
    const other = Deno.build.arch === "x86_64" ? 183 : 62;
    new DataView(program.buffer).setUint16(18, other, true);
    await bench.write("plugin", program, { mode: 0o755 });
    await bench.write("template.json", at(bench.at("plugin")));
  },
  messageParts: ["$WORK/plugin", "platform"],
});
refuses("a plugin for Windows", {
  setUp: async (bench) => {
    const program = new Uint8Array(4096);
    program.set(new TextEncoder().encode("MZ"));
    await bench.write("plugin", program, { mode: 0o755 });
    await bench.write("template.json", at(bench.at("plugin")));
  },
  messageParts: ["$WORK/plugin", "platform"],
});
refuses("a plugin whose interpreter does not exist", {
  setUp: async (bench) => {
    const path = await bench.write("plugin", "#!/nowhere/sh\n", {
      mode: 0o755,
    });
    await bench.write("template.json", at(path));
  },
  messageParts: ["$WORK/plugin", "/nowhere/sh"],
});
refuses("a plugin that serves something else", {
  setUp: async (bench) => {
    await bench.write("template.json", {
      ...fine,
      plugins: { provisioners: { first: fixturePlugin("two_builders") } },
      provisioners: [{ type: "first" }],
    });
  },
  messageParts: ['serves no provisioner "first"', 'it serves builder "first"'],
});
refuses("a plugin path that is not a path", {
  template: '{"plugins": {"builders": {\n  "x": 7}},\n"builders": []}',
  messageParts: [/template\.json:2:\d+: /],
});

// Other inputs and outputs.

refuses("output that cannot be written", {
  template: fileBuilder({ target: "/dev/null/x.txt" }),
  messageParts: [/^Build 'file' errored after .*\/dev\/null/m],
});
refuses("an output whose path is a directory", {
  template: fileBuilder({ target: "directory" }),
  setUp: (bench) => Deno.mkdir(bench.at("directory")),
  messageParts: [/^Build 'file' errored after .*directory/m],
});
refuses("an output in a directory that is not writable", {
  template: fileBuilder({ target: "/proc/nowhere/x.txt" }),
  messageParts: [/^Build 'file' errored after .*\/proc\/nowhere/m],
});
refuses("a log file that cannot be written", {
  template: fine,
  env: { BALER_LOG: "1", BALER_LOG_PATH: "$WORK/no/log" },
  messageParts: ["cannot open the log file $WORK/no/log (BALER_LOG_PATH)"],
});
refuses("a core configuration that does not exist", {
  template: fine,
  env: { BALER_CONFIG: "$WORK/core.json" },
  messageParts: ["$WORK/core.json", "no such file"],
});
refuses("a core configuration that is not JSON", {
  template: fine,
  setUp: (bench) => bench.write("core.json", '{"builders":'),
  env: { BALER_CONFIG: "$WORK/core.json" },
  messageParts: ["core.json:1:13: "],
});
refuses("an unknown key of the core configuration", {
  template: fine,
  setUp: (bench) => bench.write("core.json", '{"bulders": {}}'),
  env: { BALER_CONFIG: "$WORK/core.json" },
  messageParts: ["core.json:1:2: ", 'did you mean "builders"?'],
});
refuses("a start timeout that is not a duration", {
  template: fine,
  env: { BALER_PLUGIN_START_TIMEOUT: "soon" },
  messageParts: ["BALER_PLUGIN_START_TIMEOUT", "soon"],
});
refuses("a --plugin-dir that does not exist", {
  template: fine,
  args: ["build", "--plugin-dir=nowhere", "template.json"],
  messageParts: ["nowhere"],
});
refuses("an empty stdin", {
  args: ["build", "-"],
  stdin: "",
  messageParts: ["<stdin>:1:1: "],
});

// The command line.

refuses("an unknown command", {
  args: ["buidl", "template.json"],
  messageParts: [
    'unknown command "buidl"; did you mean "build"?',
    "baler help",
  ],
  code: 2,
});
refuses("an unknown argument of help", {
  args: ["help", "buidl"],
  messageParts: ['unknown command "buidl"; did you mean "build"?'],
  code: 2,
});
refuses("an unknown flag", {
  args: ["build", "-onyl=a", "template.json"],
  messageParts: ["unknown flag -onyl", "did you mean -only?"],
  code: 2,
});
refuses("no template", {
  args: ["build"],
  messageParts: ["missing argument TEMPLATE", "baler help build"],
  code: 2,
});
refuses("two templates", {
  args: ["validate", "a.json", "b.json"],
  messageParts: ["b.json"],
  code: 2,
});
refuses("a -parallel-builds that is not an integer", {
  args: ["build", "-parallel-builds=many", "template.json"],
  messageParts: ["-parallel-builds must be an integer", '"many"'],
  code: 2,
});
refuses("an unknown value of -on-error", {
  args: ["build", "-on-error=panic", "template.json"],
  messageParts: ["-on-error must be one of cleanup, abort, ask", '"panic"'],
  code: 2,
});
refuses("a flag without its value", {
  args: ["build", "-var"],
  messageParts: ["flag -var needs a value"],
  code: 2,
});
refuses("help for an unknown command", {
  args: ["help", "buidl"],
  messageParts: ["buidl"],
  code: 2,
});
