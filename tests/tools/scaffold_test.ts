// A new plugin, as `deno task new` makes it: formatted, linted, type-checked and tested, and baler builds its template.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

const root = fromFileUrl(new URL("../..", import.meta.url));

const KINDS = ["builder", "provisioner", "post-processor", "command"];

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function deno(cwd: string, ...args: string[]): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    stdin: "null",
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/** Runs it in a temporary directory, as a task does: in the repository, with INIT_CWD. */
async function create(cwd: string, ...args: string[]): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "new", ...args],
    cwd: root,
    stdin: "null",
    env: { NO_COLOR: "1", INIT_CWD: cwd },
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

function assertSucceeded(ended: Ended): void {
  assertEquals(ended.code, 0, `${ended.stdout}\n${ended.stderr}`);
}

Deno.test("a new plugin with every kind of component passes its checks and tests", async () => {
  await using directory = await TemporaryDirectory.make();
  const flags = KINDS.map((kind) => `--${kind}`);
  assertSucceeded(await create(directory.path, "everything", ...flags));
  const plugin = join(directory.path, "everything");
  for (const task of ["check", "test"]) {
    assertSucceeded(await deno(plugin, "task", task));
  }
  // The README's tables are as they are written.
  const before = await Deno.readTextFile(`${plugin}/README.md`);
  assertSucceeded(await deno(plugin, "task", "readme"));
  assertEquals(await Deno.readTextFile(`${plugin}/README.md`), before);
});

for (const kind of KINDS) {
  Deno.test(`a new plugin with a ${kind} is formatted, and serves it`, async () => {
    await using directory = await TemporaryDirectory.make();
    const name = `baler-${kind}-my-own`;
    assertSucceeded(await create(directory.path, name, `--${kind}`));
    const plugin = join(directory.path, name);
    assertSucceeded(await deno(plugin, "fmt", "--check"));
    assertSucceeded(await deno(plugin, "check"));
    const described = await deno(plugin, "run", "main.ts", "describe");
    const { components, version } = JSON.parse(described.stdout);
    assertEquals(components, { [kind]: [""] });
    assertEquals(version, "0.1.0");
  });
}

Deno.test("baler builds the template of a new plugin", async () => {
  await using directory = await TemporaryDirectory.make();
  const flags = KINDS.map((kind) => `--${kind}`);
  assertSucceeded(await create(directory.path, "hello", ...flags));
  const plugin = join(directory.path, "hello");
  const template = join(plugin, "template.json");
  const text = await Deno.readTextFile(template);
  // This Deno may not be on PATH.
  await Deno.writeTextFile(
    template,
    text.replaceAll('"deno"', JSON.stringify(Deno.execPath())),
  );
  const built = await deno(
    plugin,
    "run",
    "--allow-all",
    "--config",
    join(root, "deno.json"),
    join(root, "cli.ts"),
    "build",
    "template.json",
  );
  assertSucceeded(built);
  assertStringIncludes(built.stdout, "Greeting world...");
  assertEquals(
    await Deno.readTextFile(join(plugin, "artifacts.txt")),
    "greeting.txt\n",
  );
});

Deno.test("a command line that is not valid makes nothing", async () => {
  await using directory = await TemporaryDirectory.make();
  await directory.write("full/file", "");
  for (
    const [args, code, message] of [
      [["Hello"], 2, /"Hello" cannot be a plugin's name/],
      [["a", "b"], 2, /expected one DIRECTORY, got also: b/],
      [[], 2, /missing argument DIRECTORY/],
      [["a", "--bilder"], 2, /unknown option --bilder/],
      [["full"], 1, /full is not empty: it contains file/],
    ] as const
  ) {
    const ended = await create(directory.path, ...args);
    assertMatch(ended.stderr, message);
    assertEquals(ended.code, code);
  }
  assertEquals([...Deno.readDirSync(directory.path)].map(({ name }) => name), [
    "full",
  ]);
  assertMatch((await create(directory.path, "--help")).stdout, /^Usage: new /);
});
