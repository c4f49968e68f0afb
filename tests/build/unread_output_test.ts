// Output that is not read: builds continue, Ctrl-C works, and nothing is lost once it is read.

import { assert, assertEquals } from "@std/assert";
import { forEachHost, type Workspace } from "../support/harness.ts";

/** More lines of 100 characters than a pipe and the host's queue hold. */
const LINES = 30_000;

async function writeTemplate(bench: Workspace): Promise<void> {
  await bench.write("template.json", {
    builders: ["noisy", "quiet"].map((name) => ({
      type: "file",
      name,
      content: name,
      target: `${name}.txt`,
    })),
    provisioners: [
      {
        type: "shell-local",
        only: ["noisy"],
        inline: [`yes ${"x".repeat(99)} | head -n ${LINES}`],
      },
      { type: "shell-local", only: ["quiet"], inline: ["touch quiet-done"] },
    ],
  });
}

function spawn(bench: Workspace): Deno.ChildProcess {
  const [command, ...args] = [...bench.argv, "build", "template.json"];
  return new Deno.Command(command!, {
    args,
    cwd: bench.path,
    env: { ...bench.env },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function exists(bench: Workspace, name: string): Promise<void> {
  while (!(await bench.names()).includes(name)) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Reads only the first chunk, so that the pipe fills up. */
async function unread(host: Deno.ChildProcess) {
  const reader = host.stdout.getReader();
  const { value } = await reader.read();
  return { reader, begun: new TextDecoder().decode(value) };
}

forEachHost(
  "other builds continue while the output of one is not read, and no line is lost",
  async (bench) => {
    await writeTemplate(bench);
    const host = spawn(bench);
    const stderr = new Response(host.stderr).text();
    const { reader, begun } = await unread(host);
    await exists(bench, "quiet-done");
    let text = begun;
    const decoder = new TextDecoder();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
    assertEquals((await host.status).code, 0, await stderr);
    assertEquals(text.match(/^ {4}noisy: x{99}$/gm)?.length, LINES);
    assert(text.trimEnd().split("\n").at(-1)!.startsWith("--> "), "the end");
  },
);

forEachHost("Ctrl-C works while the output is not read", async (bench) => {
  await writeTemplate(bench);
  const host = spawn(bench);
  const stderr = new Response(host.stderr).text();
  const { reader } = await unread(host);
  await exists(bench, "quiet-done");
  host.kill("SIGINT");
  assertEquals((await host.status).code, 130);
  await reader.cancel();
  await stderr;
});
