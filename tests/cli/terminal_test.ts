// The output on a terminal: colors, progress and questions, and no
// line that is mixed with another one.

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { NO_LOG } from "../../host/log/log.ts";
import { ProgressLine } from "../../host/terminal/progress_line.ts";
import { OutputBacklog, PluginUi } from "../../host/terminal/plugin_ui.ts";
import { progressText } from "../../host/terminal/progress_text.ts";
import type { Screen } from "../../host/terminal/screen.ts";
import { textWidth, truncateToWidth } from "../../host/text/display_width.ts";
import { HostUi } from "../../host/terminal/ui.ts";
import type { Progress } from "../../plugin/contract/ui.ts";
import {
  fixturePlugin,
  forEachHost,
  type Workspace,
} from "../support/harness.ts";
import { Terminal } from "../support/terminal.ts";
import { missing } from "../support/programs.ts";
import { shellQuote } from "../support/shell.ts";

const seen = { ignore: missing("tmux") };

/** Returns the bytes that baler writes to a terminal. */
async function raw(
  bench: Workspace,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const { stdout, code } = await new Deno.Command("script", {
    args: [
      "-qec",
      [...bench.argv, ...args].map(shellQuote).join(" "),
      "/dev/null",
    ],
    cwd: bench.path,
    env: { ...bench.env, TERM: "xterm-256color", ...env },
    clearEnv: true,
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stdout).replaceAll("\r\n", "\n");
  assertEquals(code, 0, text);
  return text;
}

const twoBuilds = {
  builders: ["a", "b"].map((name) => ({
    type: "file",
    name,
    content: "x",
    target: `${name}.txt`,
  })),
  provisioners: [{ type: "shell-local", inline: ["echo out; echo err >&2"] }],
};

forEachHost(
  "on a terminal each build has a color of its own, and errors are red",
  async (bench) => {
    await bench.write("t.json", twoBuilds);
    const text = await raw(bench, ["build", "t.json"]);
    for (const [name, color] of [["a", 32], ["b", 36]] as const) {
      for (
        const line of [
          `\x1b[1;${color}m${name}: output will be in this color.\x1b[0m`,
          `\x1b[0;${color}m    ${name}: out\x1b[0m`,
          `\x1b[1;31m==> ${name}: err\x1b[0m`,
        ]
      ) assert(text.includes(`${line}\n`), JSON.stringify(text));
      assertMatch(
        text,
        new RegExp(`\x1b\\[1;${color}mBuild '${name}' finished`),
      );
    }
  },
  { ignore: missing("script") },
);

for (
  const [promise, args, env] of [
    ["-color=false", ["-color=false"], {}],
    ["NO_COLOR", [], { NO_COLOR: "1" }],
    ["PACKER_NO_COLOR", [], { PACKER_NO_COLOR: "1" }],
    ["a terminal that has none", [], { TERM: "dumb" }],
    ["-machine-readable", ["-machine-readable"], {}],
  ] as const
) {
  forEachHost(`there are no colors with ${promise}`, async (bench) => {
    await bench.write("t.json", twoBuilds);
    const text = await raw(bench, ["build", ...args, "t.json"], env);
    assert(!text.includes("\x1b"), JSON.stringify(text));
    assert(!text.includes("in this color"), text);
  }, { ignore: missing("script") });
}

forEachHost("there are no colors and no progress on a pipe", async (bench) => {
  const { output } = await bench.builds({
    builders: { p: { plugin: fixturePlugin("scripted_ui"), steps: [...half] } },
  });
  for (const mark of ["\x1b", "\r", "%"]) {
    assert(!output.includes(mark), JSON.stringify(output));
  }
});

forEachHost(
  "-timestamp-ui adds no time to the lines that announce colors, as in Packer",
  async (bench) => {
    await bench.write("t.json", twoBuilds);
    const text = await raw(bench, ["build", "-timestamp-ui", "t.json"]);
    assert(text.includes("\x1b[1;32ma: output will be in this color."), text);
    assertMatch(
      text.replaceAll("\x1b", "ESC"),
      /ESC\[0;32m\d{4}-[^ ]+Z: {5}a: out/,
    );
  },
  { ignore: missing("script") },
);

forEachHost(
  "-timestamp-ui prefixes output with the time",
  async (bench) => {
    await bench.write("t.json", twoBuilds);
    const { stdout } = await bench.succeeds([
      "build",
      "-timestamp-ui",
      "t.json",
    ]);
    const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ: `;
    assertMatch(stdout, new RegExp(`^${time}    a: out$`, "m"));
    assertMatch(stdout, new RegExp(`^${time}==> b: err$`, "m"));
    assertMatch(stdout, new RegExp(`^${time}Build 'a' finished`, "m"));
  },
);

const half = [
  { progress: { label: "upload disk", current: 512, total: 1024 } },
];

/** Builds on a terminal; each name in `pipes` is a named pipe that a step awaits. */
async function perform(
  bench: Workspace,
  builds: Record<string, readonly unknown[]>,
  { pipes = [], ...options }: {
    pipes?: readonly string[];
    columns?: number;
    env?: Record<string, string>;
    args?: readonly string[];
  } = {},
): Promise<Terminal> {
  await bench.write("t.json", {
    builders: Object.fromEntries(
      Object.entries(builds).map(([name, steps]) => [
        name,
        { plugin: fixturePlugin("scripted_ui"), steps },
      ]),
    ),
  });
  for (const pipe of pipes) {
    await new Deno.Command("mkfifo", { args: [bench.at(pipe)] }).output();
  }
  const { args = [] } = options;
  return await Terminal.open(bench, ["build", ...args, "t.json"], options);
}

/** Lets the step that awaits a pipe continue. */
function release(bench: Workspace, pipe: string): Promise<void> {
  return Deno.writeTextFile(bench.at(pipe), "go");
}

forEachHost(
  "progress is shown below all lines, is updated, and is removed when it is done",
  async (bench) => {
    await using terminal = await perform(bench, {
      p: [
        ...half,
        { await: "one" },
        { say: "meanwhile" },
        { progress: { label: "upload disk", current: 1024, total: 1024 } },
        { await: "two" },
        { progress: { label: "upload disk", current: 1024, done: true } },
        { await: "three" },
      ],
    }, { pipes: ["one", "two", "three"] });
    await terminal.shows(
      /\n\np: upload disk {2}\[#{12}-{12}\] {2}50% {2}512 B of 1.0 KiB$/,
    );
    await release(bench, "one");
    await terminal.shows(
      /\n==> p: meanwhile\np: upload disk {2}\[#{24}\] {2}100% {2}.*$/,
    );
    await release(bench, "two");
    await terminal.shows(/\n==> p: meanwhile$/);
    await release(bench, "three");
    const text = await terminal.shows(/^ended 0$/m);
    assert(!text.includes("upload disk"), text);
  },
  seen,
);

forEachHost(
  "several pieces of work share one line",
  async (bench) => {
    const steps = (label: string, current: number, pipe: string) => [
      { progress: { label, current, total: 100, unit: "files" } },
      { await: pipe },
      { progress: { label, current, done: true } },
    ];
    await using terminal = await perform(bench, {
      a: steps("copy", 20, "one"),
      b: steps("pack", 60, "two"),
    }, { pipes: ["one", "two"] });
    await terminal.shows(
      /^2 in progress {2}\[#{10}-{14}\] {2}40% {2}(a: copy, b: pack|b: pack, a: copy)$/m,
    );
    await release(bench, "one");
    await terminal.shows(/^b: pack .* 60% {2}60 files of 100 files$/m);
    await release(bench, "two");
    await terminal.shows(/^ended 0$/m);
  },
  seen,
);

forEachHost(
  "progress fits a narrow terminal, whatever its label is",
  async (bench) => {
    const label = "upload\n\x1b[31mläng-文字 " + "long ".repeat(50);
    await using terminal = await perform(bench, {
      p: [
        { progress: { label, current: 50, total: 100 } },
        { await: "one" },
        { say: "one line" },
        { say: "another line" },
        { await: "two" },
      ],
    }, { pipes: ["one", "two"], columns: 40 });
    await terminal.shows(/^p: upload .*\.\.\. {2}50%$|^p: upload .*%/m);
    await release(bench, "one");
    const text = await terminal.shows(/==> p: another line\np: upload.*$/);
    assertMatch(text, /^==> p: one line\n==> p: another line\np: upload.*$/m);
    assertEquals(text.match(/upload/g)?.length, 1);
    await release(bench, "two");
    const after = await terminal.shows(/^ended 0$/m);
    assert(!after.includes("upload"), after);
  },
  seen,
);

forEachHost(
  "the progress of a failed build is removed",
  async (bench) => {
    await using terminal = await perform(bench, {
      bad: [...half, { await: "one" }, { fail: "broken" }],
      good: [{ await: "two" }],
    }, { pipes: ["one", "two"] });
    await terminal.shows(/^bad: upload disk .* 50%/m);
    await release(bench, "one");
    const text = await terminal.shows(/^Build 'bad' errored after .*broken$/m);
    assert(!text.includes("upload disk"), text);
    await release(bench, "two");
    await terminal.shows(/^ended 1$/m);
  },
  seen,
);

forEachHost(
  "no progress is left when a second Ctrl-C kills everything",
  async (bench) => {
    await using terminal = await perform(bench, {
      p: [...half, { await: "one" }],
    }, { pipes: ["one"] });
    await terminal.shows(/^p: upload disk .* 50%/m);
    await terminal.press("C-c");
    await terminal.shows(/^Cancelling .*$/m);
    await terminal.press("C-c");
    const text = await terminal.shows(/^ended 130$/m);
    assert(!text.includes("upload disk"), text);
  },
  seen,
);

forEachHost(
  "a question keeps the last line; other output appears above it",
  async (bench) => {
    await using terminal = await perform(bench, {
      a: [{ ask: "Is it right?" }],
      b: [
        { await: "one" },
        { say: "something else" },
        ...half,
        { await: "two" },
      ],
    }, { pipes: ["one", "two"], columns: 60 });
    await terminal.shows(/^==> a: Is it right\?$/m);
    await release(bench, "one");
    await terminal.shows(/^==> b: something else\n==> a: Is it right\?$/m);
    await terminal.type("yes");
    await terminal.press("Enter");
    const text = await terminal.shows(/^==> a: got yes$/m);
    assertEquals(text.match(/Is it right/g)?.length, 1, text);
    await release(bench, "two");
    await terminal.shows(/^ended 0$/m);
  },
  seen,
);

forEachHost(
  "the question of a finished build makes way for the next one",
  async (bench) => {
    await using terminal = await perform(bench, {
      a: [{ leave: "Is anyone there?" }],
      b: [{ await: "one" }, { ask: "Is it right?" }],
    }, { pipes: ["one"], columns: 60 });
    await terminal.shows(/^Build 'a' errored after/m);
    await release(bench, "one");
    await terminal.shows(/^==> b: Is it right\?$/m);
    await terminal.type("yes");
    await terminal.press("Enter");
    await terminal.shows(/^==> b: got yes$/m);
    await terminal.shows(/^ended 1$/m);
  },
  seen,
);

forEachHost(
  "the log on the same terminal is written above the progress",
  async (bench) => {
    await using terminal = await perform(bench, {
      p: [...half, { await: "one" }, { say: "spoken" }, { await: "two" }],
    }, { pipes: ["one", "two"], env: { BALER_LOG: "1" }, columns: 200 });
    await terminal.shows(/^p: upload disk .*$/m);
    await release(bench, "one");
    const text = await terminal.shows(/==> p: spoken\np: upload disk .*$/);
    for (const line of text.split("\n")) {
      if (line.includes("upload disk")) assertMatch(line, /^p: upload disk/);
    }
    assertMatch(text, /^\d{4}\/\d\d\/\d\d .* ui: ==> p: spoken$/m);
    await release(bench, "two");
    await terminal.shows(/^ended 0$/m);
  },
  seen,
);

forEachHost("a dumb terminal shows no progress", async (bench) => {
  await bench.write("t.json", {
    builders: {
      p: {
        plugin: fixturePlugin("scripted_ui"),
        steps: [...half, { say: "spoken" }],
      },
    },
  });
  const text = await raw(bench, ["build", "t.json"], { TERM: "dumb" });
  for (const mark of ["\x1b", "\r", "upload disk"]) {
    assert(!text.includes(mark), JSON.stringify(text));
  }
}, { ignore: missing("script") });

Deno.test("progressText() shows the remaining time once it can be estimated", () => {
  const work = { label: "x", current: 25, total: 100, begin: 0 };
  assertMatch(progressText([work], 80, 30_000), /, 1 min 30 s left$/);
  assertMatch(progressText([work], 80, 1000), /of 100 B$/);
});

Deno.test("progressText() shows as many labels as fit", () => {
  const work = ["a", "b"].map((name) => ({
    label: `${name}: compress ${"disk".repeat(9)}`,
    current: 1,
    total: 2,
    begin: 0,
  }));
  assertEquals(
    progressText(work, 79, 0),
    "2 in progress  [############------------]  50%  a: compress diskdiskdiskdisk...",
  );
  assertMatch(
    progressText([work[0]!], 60, 0),
    /^a: compress \.\.\. .* 50% .* 2 B$/,
  );
});

Deno.test("progressText() fits any width", () => {
  const work = { label: "a long label, 文字", current: 1, total: 3, begin: 0 };
  for (let columns = 1; columns < 100; columns++) {
    for (const all of [[work], [work, work], [{ ...work, total: 0 }]]) {
      const text = progressText(all, columns, 10_000);
      assert(textWidth(text) <= columns, `${columns}: ${text}`);
    }
  }
});

Deno.test("the progress line handles any number of labels of any length", async () => {
  const { promise: drawn, resolve } = Promise.withResolvers<string>();
  const line = new ProgressLine(resolve, () => 80);
  for (let work = 0; work < 50_000; work++) {
    line.report("a build", {
      label: `${work} ${"x".repeat(20_000)}`,
      current: 1,
    });
  }
  assertMatch(await drawn, /^\d+ in progress {2}0 x+/);
  line.end();
});

Deno.test("progress with types that the interface does not allow is rejected", () => {
  const shown: Progress[] = [];
  const screen = {
    progress: (_owner: string, progress: Progress) => shown.push(progress),
  };
  const backend = new HostUi({
    screen: screen as unknown as Screen,
    log: NO_LOG,
    machineReadable: false,
    color: false,
  });
  const ui = new PluginUi(backend, new OutputBacklog());
  const report = (progress: unknown) => ui.progress(progress as Progress);
  report({ label: "a", current: 5n, total: null });
  assertEquals(shown, [{ label: "a", current: 5, done: false }]);
  const converted = {
    toString() {
      throw new Error("converted to a string");
    },
    valueOf() {
      throw new Error("converted to a number");
    },
  };
  for (
    const wrong of [
      undefined,
      { label: 1, current: 1 },
      { label: converted, current: 1 },
      { label: "a", current: converted },
      { label: "a", current: "1" },
      { label: "a", current: 1, total: converted },
      { label: "a", current: 1, unit: ["files"] },
    ]
  ) assertThrows(() => report(wrong), TypeError);
  for (const method of ["say", "message", "error", "machine", "ask"] as const) {
    const call = ui[method].bind(ui) as (line: unknown) => unknown;
    assertThrows(() => call(converted), TypeError);
  }
  assertEquals(shown.length, 1);
});

Deno.test("textWidth() counts columns, and truncateToWidth() cuts between characters", () => {
  assertEquals(textWidth("abc"), 3);
  assertEquals(textWidth("文字"), 4);
  assertEquals(textWidth("e\u0301"), 1);
  assertEquals(textWidth("👍"), 2);
  assertEquals(truncateToWidth("文字文字", 6), "文...");
  assertEquals(truncateToWidth("abc", 3), "abc");
});
