// `baler console`: evaluates templates that are piped or typed, with the same output as Packer's.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import {
  assertForPeople,
  forEachHost,
  type Workspace,
} from "../support/harness.ts";
import { Terminal } from "../support/terminal.ts";
import { missing } from "../support/programs.ts";

const template = {
  variables: {
    name: "web",
    full: "{{user `name`}}-{{env `COLOUR`}}",
    needed: null,
    secret: "hunter2",
  },
  "sensitive-variables": ["secret"],
  // Without a template Packer's console has no variables.
  builders: [{ type: "null", communicator: "none" }],
};

async function piped(bench: Workspace, input: string, ...args: string[]) {
  await bench.write("t.json", template);
  return await bench.baler(["console", ...args], {
    stdin: input,
    env: { COLOUR: "red" },
  });
}

for (
  const [promise, input, args, expected] of [
    ["a variable", "{{user `full`}}\n", ["t.json"], "web-red\n"],
    ["the last of its lines", "{{user `full`}}\n{{upper `x`}}", [], "X\n"],
    ["nothing for nothing", "", [], "\n"],
    ["spaces around a line", "  {{user `name`}} \n", ["t.json"], "web\n"],
    ["-var", "{{user `full`}}", ["-var", "name=db", "t.json"], "db-red\n"],
    ["-var without a template", "{{user `x`}}", ["-var", "x=1"], "1\n"],
    ["a required variable", "<{{user `needed`}}>", ["t.json"], "<>\n"],
    ["a sensitive variable", "{{user `secret`}}", ["t.json"], "<sensitive>\n"],
    [
      "all variables",
      "variables",
      ["-var", "needed=1", "t.json"],
      "full: web-red,\nname: web,\nneeded: 1,\nsecret: <sensitive>,\n\n",
    ],
    ["exit among the lines", "exit\n{{upper `x`}}", [], "X\n"],
    ["what is no template", "text", [], "text\n"],
  ] as const
) {
  forEachHost(`baler console shows ${promise}`, async (bench) => {
    const { code, stdout, stderr } = await piped(bench, input, ...args);
    assertEquals([code, stdout, stderr], [0, expected, ""]);
  });
}

for (
  const [what, input, args] of [
    ["a variable", "{{user `full`}}", ["t.json"]],
    ["the last of several lines", "{{upper `a`}}\n{{upper `b`}}\n", []],
    ["no line", "", []],
    ["exit and what follows", "exit\n{{upper `b`}}\n", []],
    ["a field", "{{.Field}}", []],
    ["a variable that there is not", "<{{user `gone`}}>", ["t.json"]],
    ["a variable of the command line", "{{user `x`}}", ["-var", "x=a,b"]],
    ["a sensitive variable", "{{user `secret`}}", ["t.json"]],
    ["a template's directory", "{{template_dir}}", ["t.json"]],
    ["spaces", "  {{user `name`}}  ", ["t.json"]],
    ["a template that is not there", "", ["gone.json"]],
  ] as const
) {
  forEachHost(
    `baler console shows what Packer's shows of ${what}`,
    async (bench) => {
      const given = ["-var", "needed=1", ...args];
      const ours = await piped(bench, input, ...given);
      const child = new Deno.Command("packer", {
        args: ["console", ...given],
        cwd: bench.path,
        env: { HOME: bench.home, CHECKPOINT_DISABLE: "1", COLOUR: "red" },
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(input));
      await writer.close();
      const { code, stdout } = await child.output();
      assertEquals(ours.code, code, ours.output);
      // Packer reports a missing template on stdout.
      if (code === 0) {
        assertEquals(ours.stdout, new TextDecoder().decode(stdout));
      }
    },
    { ignore: missing("packer") },
  );
}

forEachHost(
  "baler console reports a line that cannot be interpolated, and continues",
  async (bench) => {
    const ended = await piped(bench, "a {{upper `x` nope}}\n{{upper `y`}}\n");
    assertEquals(ended.code, 0);
    assertMatch(ended.stdout, /Interpolation error: .*\n {2}a \{\{.*\n +\^\n/);
    assert(ended.stdout.endsWith("\nY\n"), ended.stdout);
    assertForPeople(ended);
  },
);

forEachHost(
  "baler console reads the files of -var-file",
  async (bench) => {
    await bench.write("vars.json", { name: "file" });
    const { stdout } = await piped(
      bench,
      "{{user `full`}}",
      "-var-file=vars.json",
      "t.json",
    );
    assertEquals(stdout, "file-red\n");
  },
);

forEachHost(
  "baler console -machine-readable shows a message",
  async (bench) => {
    const { stdout } = await piped(
      bench,
      "{{upper `a,b`}}",
      "-machine-readable",
    );
    assertMatch(stdout, /^\d{10},,ui,message,A%!\(PACKER_COMMA\)B\n$/);
  },
);

forEachHost(
  "baler console -machine-readable reports a failed line in an event like any other",
  async (bench) => {
    const { code, stdout } = await piped(
      bench,
      "{{nope}}",
      "-machine-readable",
    );
    assertEquals(code, 0);
    assertMatch(
      stdout,
      /^\d{10},,ui,say,Interpolation error: .*\n\d{10},,ui,message,\n$/,
    );
  },
);

for (
  const [promise, args, code, says] of [
    ["a template that is not there", ["gone.json"], 1, "gone.json"],
    ["a second template", ["t.json", "t.json"], 2, "one TEMPLATE"],
    ["a template from stdin, which it reads itself", ["-"], 2, "from stdin"],
    ["a flag that it does not know", ["-vra=1"], 2, "-var"],
  ] as const
) {
  forEachHost(`baler console refuses ${promise}`, async (bench) => {
    const ended = await piped(bench, "", ...args);
    assertEquals(ended.code, code, ended.output);
    assertStringIncludes(ended.stderr, says);
    assertForPeople(ended);
  });
}

const onTerminal = { ignore: missing("tmux") };

forEachHost(
  "baler console on a terminal evaluates line after line, after errors too, until exit",
  async (bench) => {
    await bench.write("t.json", template);
    await using terminal = await Terminal.open(bench, ["console", "t.json"], {
      columns: 120,
    });
    await terminal.shows(/^>$/m);
    await terminal.type("{{user `name`}}");
    await terminal.press("Enter");
    await terminal.shows(/^web\n>/m);
    await terminal.type("{{nope}}");
    await terminal.press("Enter");
    await terminal.shows(/^Interpolation error: .*\n +\{\{nope\}\}\n +\^\n>/m);
    await terminal.press("Enter");
    await terminal.shows(/\^\n>\n>/);
    await terminal.type("variables");
    await terminal.press("Enter");
    await terminal.shows(/^name: web,\nneeded: ,\n/m);
    await terminal.type("exit");
    await terminal.press("Enter");
    await terminal.shows(/^> exit\nended 0$/m);
  },
  onTerminal,
);

forEachHost(
  "baler console on a terminal edits, recalls and completes lines",
  async (bench) => {
    await bench.write("t.json", template);
    await using terminal = await Terminal.open(bench, ["console", "t.json"]);
    await terminal.shows(/^>$/m);
    await terminal.type("{{upper `ac`}}");
    await terminal.press("Left", "Left", "Left", "Left");
    await terminal.type("b");
    await terminal.press("Enter");
    await terminal.shows(/^ABC\n>/m);
    await terminal.press("Up", "Enter");
    await terminal.shows(/^ABC\n> \{\{upper `abc`\}\}\nABC\n>/m);
    await terminal.type("{{user `nam");
    await terminal.press("Tab");
    // Text right after a tab would be taken for a paste, and not be completed.
    await terminal.shows(/^> \{\{user `name`$/m);
    await terminal.type("}}");
    await terminal.press("Enter");
    await terminal.shows(/^web\n>/m);
  },
  onTerminal,
);

for (const key of ["C-c", "C-d"]) {
  forEachHost(
    `baler console on a terminal ends with ${key}`,
    async (bench) => {
      await using terminal = await Terminal.open(bench, ["console"]);
      await terminal.shows(/^>$/m);
      await terminal.press(key);
      await terminal.shows(/^ended 0$/m);
    },
    onTerminal,
  );
}

forEachHost(
  "baler console evaluates each line of a file",
  async (bench) => {
    await bench.write("lines.txt", "{{upper `x`}}\n{{nope}}\n{{upper `y`}}\n");
    await using terminal = await Terminal.open(bench, ["console"], {
      behind: "< lines.txt > out.txt",
    });
    await terminal.shows(/^ended 0$/m);
    assertMatch(
      await bench.read("out.txt"),
      /^X\nInterpolation error: .*\n +\{\{nope\}\}\n +\^\nY\n$/,
    );
  },
  onTerminal,
);

forEachHost(
  "baler console shows no prompt when its output is not a terminal",
  async (bench) => {
    await using terminal = await Terminal.open(bench, ["console"], {
      behind: "> out.txt",
    });
    await terminal.type("{{upper `x`}}");
    await terminal.press("Enter", "C-d");
    await terminal.shows(/^ended 0$/m);
    assertEquals(await bench.read("out.txt"), "X\n");
  },
  onTerminal,
);
