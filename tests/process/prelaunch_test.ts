// A head start: the process of a build's bundled components is started while
// the host still finds out whether it is needed; nobody but the clock can tell.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Child } from "../../host/process/child.ts";
import {
  claimPrelaunchedOrSpawn,
  discardPrelaunched,
  prelaunch,
} from "../../host/process/prelaunch.ts";
import {
  type Bench,
  fixturePlugin,
  forEachHost,
  type Running,
  within,
} from "../support/harness.ts";

const onLinux = { ignore: Deno.build.os !== "linux" };

/** The processes of bundled components that a run has started. */
async function bundledOf(run: Running): Promise<string[]> {
  const { stdout } = await new Deno.Command("ps", {
    args: ["-o", "args=", "--ppid", String(run.pid)],
  }).output();
  return new TextDecoder().decode(stdout).split("\n")
    .filter((line) => / plugin$/.test(line));
}

/** A run whose shell waits; the test says when it goes on. */
async function startWaiting(bench: Bench, template: object): Promise<Running> {
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

async function goOn(bench: Bench, run: Running) {
  await bench.write("go", "\n");
  const ended = await run.ended();
  assertEquals(ended.code, 0, ended.output);
}

forEachHost("a build uses the process that had a head start", async (bench) => {
  const run = await startWaiting(bench, {
    builders: [{ type: "file", content: "x", target: "x.txt" }],
  });
  assertEquals((await bundledOf(run)).length, 1);
  await goOn(bench, run);
}, onLinux);

forEachHost(
  "a process that had a head start in vain leaves nothing behind, not even a line in the log",
  async (bench) => {
    // That no process is left the bench sees at its end.
    await bench.write("template.json", {
      plugins: { builders: { first: fixturePlugin("relatives") } },
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
  "a template that comes through a pipe is read once",
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
  "a template that cannot be built leaves no process of a head start",
  async (bench) => {
    // That none is left the bench sees at its end.
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

/** A launch of a child, and what it has taken when the child has ended. */
function taken(argv: string[], variables: Record<string, string> = env) {
  const decoder = new TextDecoder();
  let text = "";
  const child = claimPrelaunchedOrSpawn({
    argv,
    env: variables,
    onStdout: (chunk) => void (text += decoder.decode(chunk)),
    onStdoutEnd: () => text += "[end]",
    onStderr: () => {},
  });
  return { child, text: child.exited.then(() => text) };
}

Deno.test({
  name: "what a process wrote before it was launched is not lost",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await temporaryFolder();
    const argv = [...SHELL, `echo early; : > ${folder.path}/said; read line`];
    prelaunch(argv, env);
    await existence(`${folder.path}/said`);
    const { child, text } = taken(argv);
    child.stdin!.write(new TextEncoder().encode("go on\n"));
    assertEquals(await text, "early\n[end]");
  },
});

Deno.test({
  name: "a launch takes a process only with the same command and environment",
  ignore: Deno.build.os === "windows",
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
    // In whatever order its variables come.
    assertEquals(
      await taken(argv, { ONE: "first", ...env }).text,
      "first\n[end]",
    );
    assert(taken([...SHELL, "exit"]).child instanceof Child);
  },
});

Deno.test({
  name: "the end of a head start is the end of its process, if nobody took it",
  ignore: Deno.build.os === "windows",
  async fn() {
    // It would not end by itself, not even at the end of its stdin.
    prelaunch([...SHELL, "while :; do sleep 1; done"], env);
    await within(10, "its end", discardPrelaunched());
    await discardPrelaunched();
  },
});

async function temporaryFolder() {
  const path = await Deno.makeTempDir();
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** Waits until a file is there. */
async function existence(path: string): Promise<void> {
  while (!await Deno.stat(path).then(() => true, () => false)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
