// -on-error when a provisioner fails, as in Packer, answered on a terminal where it
// asks; and Ctrl-C during a question.

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  fixturePlugin,
  forEachHost,
  type Workspace,
} from "../support/harness.ts";
import { Terminal } from "../support/terminal.ts";
import { missing } from "../support/programs.ts";

const onTerminal = {
  ignore: missing("tmux"),
};

/** Fails the first time, and succeeds when it is retried. */
const template = (cleanup = "echo cleaning > cleaned") => ({
  builders: [{ type: "null", communicator: "none" }],
  provisioners: [{
    type: "shell-local",
    inline: ["test -e tried || { touch tried; exit 3; }"],
  }],
  "error-cleanup-provisioner": { type: "shell-local", inline: [cleanup] },
});

const FAILED = "==> null: Script exited with non-zero exit status: 3.";
const CLEANUP =
  "==> null: Provisioning step had errors: Running the cleanup provisioner, if present...";
const QUESTION = "==> null: [c] Clean up and exit, [a] abort without cleanup";

/** Each choice with the output, in order, between the failure and the end of the build. */
const CHOICES = {
  cleanup: [CLEANUP],
  abort: [
    FAILED,
    '==> null: Step "StepProvision" failed, aborting...',
    '==> null: aborted: skipping cleanup of step "StepConnect"',
  ],
  "run-cleanup-provisioner": [
    CLEANUP,
    FAILED,
    '==> null: Step "StepConnect" failed, aborting...',
  ],
  // Without a terminal, the question cannot be asked.
  ask: [FAILED, '==> null: Step "StepProvision" failed', QUESTION, CLEANUP],
};

for (const [choice, shown] of Object.entries(CHOICES)) {
  forEachHost(`-on-error=${choice} does what Packer does`, async (bench) => {
    await bench.write("template.json", template());
    const { code, stdout } = await bench.baler(
      ["build", `-on-error=${choice}`, "template.json"],
      { stdin: "" },
    );
    assertEquals(code, 1, stdout);
    const lines = stdout.split("\n").filter((line) =>
      line.startsWith("==> null: ") && !line.includes("Running local shell")
    );
    assertEquals(lines.length, shown.length, stdout);
    shown.forEach((text, index) =>
      assertEquals(lines[index]!.slice(0, text.length), text)
    );
    assertMatch(stdout, /^Build 'null' errored after .*exit status: 3/m);
    await assertCleaned(bench, choice !== "abort");
  });
}

async function assertCleaned(bench: Workspace, wanted: boolean): Promise<void> {
  assertEquals((await bench.names()).includes("cleaned"), wanted);
}

async function asked(bench: Workspace, cleanup?: string): Promise<Terminal> {
  await bench.write("template.json", template(cleanup));
  const args = ["build", "-color=false", "-on-error=ask", "template.json"];
  const terminal = await Terminal.open(bench, args, { columns: 160 });
  await terminal.shows(/retry step/);
  return terminal;
}

forEachHost(
  "-on-error=ask accepts the answers c, a and r, and asks again for any other",
  async (bench) => {
    {
      await using terminal = await asked(bench);
      await terminal.type("x");
      await terminal.press("Enter");
      await terminal.shows(/Incorrect input: "x"[^]*retry step/);
      await terminal.type("a");
      await terminal.press("Enter");
      const text = await terminal.shows(/^ended 1$/m);
      assertMatch(text, /aborted: skipping cleanup of step "StepConnect"/);
      await assertCleaned(bench, false);
    }
    await Deno.remove(bench.at("tried"));
    {
      await using terminal = await asked(bench);
      await terminal.type("r");
      await terminal.press("Enter");
      assertMatch(
        await terminal.shows(/^ended 0$/m),
        /^Build 'null' finished/m,
      );
      await assertCleaned(bench, false);
    }
    await Deno.remove(bench.at("tried"));
    {
      await using terminal = await asked(bench);
      await terminal.type("c");
      await terminal.press("Enter");
      assert((await terminal.shows(/^ended 1$/m)).includes(CLEANUP));
      await assertCleaned(bench, true);
    }
  },
  onTerminal,
);

forEachHost(
  "Ctrl-C at the question of -on-error=ask cancels the build, and cleans up",
  async (bench) => {
    await using terminal = await asked(bench);
    await terminal.press("C-c");
    const text = await terminal.shows(/ended 130$/m);
    assertMatch(text, /^Cancelling the builds after SIGINT/m);
    assert(text.includes(CLEANUP), text);
    await assertCleaned(bench, true);
  },
  onTerminal,
);

forEachHost(
  "a second Ctrl-C kills the cleanup after the question of -on-error=ask",
  async (bench) => {
    await using terminal = await asked(bench, "echo cleaning; sleep 600");
    await terminal.press("C-c");
    await terminal.shows(/^ {4}null: cleaning$/m);
    await terminal.press("C-c");
    await terminal.shows(/ended 130$/m);
  },
  onTerminal,
);

forEachHost(
  "Ctrl-C and SIGTERM cancel the question of a plugin, whatever the plugin does",
  async (bench) => {
    await bench.write("template.json", {
      builders: {
        asking: {
          plugin: fixturePlugin("scripted_ui"),
          steps: [{ ask: "Is it right?" }],
        },
      },
    });
    {
      await using terminal = await Terminal.open(bench, [
        "build",
        "template.json",
      ]);
      await terminal.shows(/Is it right\?/);
      await terminal.press("C-c");
      await terminal.shows(/ended 130$/m);
    }
    const run = bench.start(["build", "template.json"]);
    await run.write("");
    await run.shows("Is it right?");
    run.kill("SIGTERM");
    assertEquals((await run.ended()).code, 143);
  },
  onTerminal,
);

forEachHost(
  "a terminal's Ctrl-C reaches baler, and none of its children",
  async (bench) => {
    await bench.write("template.json", {
      plugins: { builders: { waiting: fixturePlugin("slow_cleanup") } },
      builders: [
        { type: "waiting", name: "cloud" },
        { type: "null", name: "script", communicator: "local" },
      ],
      provisioners: [{
        type: "shell-local",
        only: ["script"],
        inline: [
          "trap 'touch interrupted' INT",
          "echo ready",
          "sleep 600 & wait",
        ],
      }],
    });
    await using terminal = await Terminal.open(bench, [
      "build",
      "template.json",
    ]);
    await terminal.shows(/script: ready/);
    await terminal.shows(/The machine is up/);
    await terminal.press("C-c");
    assertMatch(
      await terminal.shows(/ended 130$/m),
      /Taking the machine down/,
    );
    assertEquals(await bench.names(), ["template.json"]);
  },
  onTerminal,
);

forEachHost(
  "the hangup of a terminal cancels the builds, which clean up",
  async (bench) => {
    await bench.write("template.json", {
      builders: { cloud: fixturePlugin("slow_cleanup") },
    });
    {
      await using terminal = await Terminal.open(bench, [
        "build",
        "template.json",
      ]);
      await terminal.shows(/The machine is up/);
    }
    await bench.assertNothingLeft();
    assertEquals(await bench.names(), ["template.json"]);
  },
  onTerminal,
);
