// Prelaunch: the process of a build's bundled components is started while the
// host still determines whether it is needed; the output is the same.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Child } from "../../host/process/child.ts";
import {
  claimPrelaunchedOrSpawn,
  discardPrelaunched,
  prelaunch,
} from "../../host/process/prelaunch.ts";
import {
  fixturePlugin,
  forEachHost,
  type Running,
  type Workspace,
} from "../support/harness.ts";
import { within } from "../support/within.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { childrenOf } from "../support/processes.ts";
import { NOT_LINUX, NOT_POSIX, skippable } from "../support/programs.ts";

const onLinux = { ignore: NOT_LINUX };

/** The processes of bundled components that a run has started. */
async function bundledOf(run: Running): Promise<string[]> {
  return (await childrenOf(run.pid)).map(({ command }) => command)
    .filter((command) => / plugin$/.test(command));
}

/** A run whose shell waits until the test lets it continue. */
async function startWaiting(
  bench: Workspace,
  template: object,
): Promise<Running> {
  await bench.write("template.json", {
    ...template,
    "post-processors": [{
      type: "shell-local",
      inline: ["echo waiting; read line < go"],
    }],
  });
  await new Deno.Command("mkfifo", { args: [bench.at("go")] }).output();
  const run = bench.start(["build", "template.json"]);
  await run.shows("waiting");
  return run;
}

async function goOn(bench: Workspace, run: Running) {
  await bench.write("go", "\n");
  const ended = await run.ended();
  assertEquals(ended.code, 0, ended.output);
}

forEachHost("a build uses the prelaunched process", async (bench) => {
  const run = await startWaiting(bench, {
    builders: [{ type: "file", content: "x", target: "x.txt" }],
  });
  assertEquals((await bundledOf(run)).length, 1);
  await goOn(bench, run);
}, onLinux);

forEachHost(
  "a prelaunched process that is not needed leaves nothing behind, not even a line in the log",
  async (bench) => {
    // The workspace checks at its end that no process is left.
    await bench.write("template.json", {
      plugins: { builders: { first: fixturePlugin("two_builders") } },
      builders: [{ type: "first" }],
      "post-processors": ["manifest"],
    });
    const { stdout, stderr } = await bench.succeeds(
      ["build", "-except=manifest", "template.json"],
      { env: { BALER_LOG: "1" } },
    );
    assertStringIncludes(stdout, "pid ");
    assert(!stderr.includes("baler-bundled"), stderr);
  },
);

forEachHost(
  "a template from a pipe is read once",
  async (bench) => {
    await new Deno.Command("mkfifo", { args: [bench.at("template")] }).output();
    const run = bench.start(["build", "template"]);
    await bench.write("template", {
      builders: [{ type: "file", content: "x", target: "x.txt" }],
    });
    const ended = await run.ended();
    assertEquals(ended.code, 0, ended.output);
    assertEquals(await bench.read("x.txt"), "x");
  },
  onLinux,
);

forEachHost(
  "a template that cannot be built leaves no prelaunched process",
  async (bench) => {
    // The workspace checks at its end that none is left.
    await bench.write("template.json", {
      builders: [{ type: "file" }],
      "post-processors": ["no-such-thing"],
    });
    for (const command of ["build", "validate"]) {
      const { code, output } = await bench.baler([command, "template.json"]);
      assertEquals(code, 1, output);
      assertStringIncludes(output, "no-such-thing");
    }
    const { code } = await bench.baler(["build", "-no-flag", "template.json"]);
    assertEquals(code, 2);
  },
);

const SHELL = ["/bin/sh", "-c"];
const env = { PATH: "/usr/bin:/bin" };

/** Launches a child; returns the output that it has received when the child has exited. */
function taken(argv: string[], variables: Record<string, string> = env) {
  const decoder = new TextDecoder();
  let text = "";
  const child = claimPrelaunchedOrSpawn({
    argv,
    env: variables,
    stdout: {
      receive: (chunk) => void (text += decoder.decode(chunk)),
      end: () => void (text += "[end]"),
      spliceTarget: () => undefined,
      isAnswerNear: () => false,
    },
    onStderr: () => {},
  });
  return { child, text: child.exited.then(() => text) };
}

Deno.test({
  ...skippable(
    "what a process wrote before it was launched is not lost",
    NOT_POSIX,
  ),
  async fn() {
    await using directory = await TemporaryDirectory.make();
    const argv = [
      ...SHELL,
      `echo early; : > ${directory.path}/said; read line`,
    ];
    prelaunch(argv, env);
    await existence(`${directory.path}/said`);
    const { child, text } = taken(argv);
    child.stdin!.write(new TextEncoder().encode("go on\n"));
    assertEquals(await text, "early\n[end]");
  },
});

Deno.test({
  ...skippable(
    "a launch takes a process only with the same command and environment",
    NOT_POSIX,
  ),
  async fn() {
    const argv = [...SHELL, 'echo "$ONE"'];
    prelaunch(argv, { ...env, ONE: "first" });
    assertEquals(
      await taken(argv, { ...env, ONE: "second" }).text,
      "second\n[end]",
    );
    assertEquals(
      await taken([...SHELL, "echo other"]).text,
      "other\n[end]",
    );
    // The order of the variables does not matter.
    assertEquals(
      await taken(argv, { ONE: "first", ...env }).text,
      "first\n[end]",
    );
    assert(taken([...SHELL, "exit"]).child instanceof Child);
  },
});

Deno.test({
  ...skippable(
    "discardPrelaunched() kills a process that no launch has claimed",
    NOT_POSIX,
  ),
  async fn() {
    // It would not exit by itself, not even at the end of its stdin.
    prelaunch([...SHELL, "while :; do sleep 1; done"], env);
    await within("its end", discardPrelaunched());
    await discardPrelaunched();
  },
});

/** Waits until a file is there. */
async function existence(path: string): Promise<void> {
  while (!await Deno.stat(path).then(() => true, () => false)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
