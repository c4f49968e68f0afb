// A plugin's stdin and stdout carry the wire: output of its code and its children goes to the log, and a user who runs it manually gets an explanation.

import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { launch } from "../../host/mod.ts";
import { program, Recorder, testPosix } from "../support/plugin_process.ts";
import { within } from "../support/within.ts";
import { failure } from "../support/failure.ts";

interface Printing {
  ping(): Promise<string>;
  ways(): Promise<string[]>;
  print(way: string, text: string): Promise<void>;
  flood(tick: (count: number) => void): Promise<void>;
  stdin(): Promise<unknown[]>;
  nodeStdin(): Promise<unknown[]>;
  prompt(): Promise<string | null>;
  confirm(): Promise<boolean>;
}

const ways = [
  "console.log()",
  "console.info()",
  "console.debug()",
  "console.warn()",
  "console.error()",
  "console.dir()",
  "console.table()",
  "console.group()",
  "console.count()",
  "console.timeLog()",
  "console.trace()",
  "console.assert()",
  "Deno.stdout.write()",
  "Deno.stdout.writeSync()",
  "Deno.stdout.writable",
  "process.stdout.write()",
  "Deno.Command with inherited stdio",
  "Deno.Command.spawn() without options",
  "Deno.Command.output() with inherited stdio",
  "Deno.Command.outputSync() with inherited stdio",
  "node:child_process with inherited stdio",
  "a logger that kept console.log",
  "a worker",
];

for (const way of ways) {
  testPosix(`what a plugin prints by ${way} reaches the log`, async () => {
    const record = new Recorder();
    await using plugin = await launch(program("stdout_plugin.ts"), {
      log: record.log,
      grace: 100,
    });
    const printing = await plugin.create<Printing>("thing", "printing");
    for (const text of ["größe 1", "größe 2"]) {
      await within("the call", printing.print(way, text));
      await record.contains(text);
    }
    assertEquals(await printing.ping(), "pong");
    for (const line of record.lines) {
      assert(line.startsWith(`2013/06/10 21:44:43 ${plugin.name}: `), line);
    }
  });
}

testPosix(
  "output of a plugin's children reaches the log immediately",
  async () => {
    const record = new Recorder();
    await using plugin = await launch(program("stdout_plugin.ts"), {
      log: record.log,
    });
    const printing = await plugin.create<Printing>("thing", "printing");
    const texts = Array.from({ length: 5 }, (_, child) => `child ${child}`);
    const way = "Deno.Command with inherited stdio";
    await Promise.all(texts.map((text) => printing.print(way, text)));
    for (const text of texts) await record.contains(text);
  },
);

testPosix("output of a plugin before it serves reaches the log", async () => {
  const record = new Recorder();
  await using plugin = await launch(
    [...program("stdout_plugin.ts"), "--early"],
    {
      log: record.log,
    },
  );
  const printing = await plugin.create<Printing>("thing", "printing");
  assertEquals(await printing.ping(), "pong");
  const early = ["log", "info", "debug", "write", "process write"];
  for (const what of early) await record.contains(`an early ${what}`);
});

testPosix("a plugin that prints continuously can be called", async () => {
  const record = new Recorder();
  const plugin = await launch(program("stdout_plugin.ts"), { log: record.log });
  const printing = await plugin.create<Printing>("thing", "printing");
  const ticks: number[] = [];
  await printing.flood((count) => void ticks.push(count));
  assertEquals(ticks, Array.from({ length: 200 }, (_, count) => count));
  await plugin.close();
  const lines = record.lines.map((line) => line.split(`${plugin.name}: `)[1]);
  assertEquals(
    lines.slice(-400),
    ticks.flatMap((tick) => [`{"json":{"return":${tick}}}`, "no line endline"]),
  );
});

testPosix("nothing in a plugin can read the wire", async () => {
  await using plugin = await launch(program("stdout_plugin.ts"));
  const printing = await plugin.create<Printing>("thing", "printing");
  assertEquals(await printing.stdin(), [null, null, [], false]);
  assertEquals(await printing.ping(), "pong");
});

testPosix("nothing in a plugin can read the wire by node:process", async () => {
  await using plugin = await launch(program("stdout_plugin.ts"), {
    grace: 100,
  });
  const printing = await plugin.create<Printing>("thing", "printing");
  assertEquals(await within("the call", printing.nodeStdin()), []);
  assertEquals(await printing.ping(), "pong");
});

testPosix("the error of a prompt in a plugin refers to the ui", async () => {
  await using plugin = await launch(program("stdout_plugin.ts"));
  const printing = await plugin.create<Printing>("thing", "printing");
  assertMatch((await failure(printing.prompt())).message, /ui\.ask/);
  assertMatch((await failure(printing.confirm())).message, /ui\.ask/);
  assertEquals(await printing.ping(), "pong");
});

/** Runs a plugin without a host, as a user would. */
async function byHand(
  argv: string[],
  input: "null" | "close" | Uint8Array<ArrayBuffer>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const [command, ...args] = argv as [string, ...string[]];
  const child = new Deno.Command(command, {
    args,
    stdin: input === "null" ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  if (input !== "null") {
    const writer = child.stdin.getWriter();
    if (input !== "close") await writer.write(input);
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

for (const input of ["null", "close"] as const) {
  testPosix(
    `a plugin without a host says what it is (stdin: ${input})`,
    async () => {
      const { code, stderr } = await byHand(program("stdout_plugin.ts"), input);
      assertEquals(code, 1);
      assertMatch(stderr, /baler plugin/);
    },
  );
}

testPosix(
  "a plugin whose stdin does not come from a host explains what it is",
  async () => {
    const { code, stderr } = await byHand(
      program("stdout_plugin.ts"),
      new TextEncoder().encode("not a message\n"),
    );
    assertEquals(code, 1);
    assertMatch(stderr, /a line is not a message: "not a message"/);
    assertMatch(stderr, /baler plugin/);
    assertNotMatch(stderr, /Uncaught|^\s+at /m);
  },
);

const script = Deno.build.os === "linux" &&
  await new Deno.Command("script", { args: ["--version"], stdout: "null" })
    .output().then(({ success }) => success, () => false);

Deno.test({
  name: "a plugin on a terminal says what it is, and exits with code 1",
  ignore: !script,
  fn: async () => {
    const quoted = program("stdout_plugin.ts").map((word) =>
      `'${word.replaceAll("'", `'\\''`)}'`
    );
    const { code, stdout } = await byHand(
      ["script", "-qec", quoted.join(" "), "/dev/null"],
      "null",
    );
    assertEquals(code, 1, stdout);
    assertMatch(stdout, /baler plugin/);
    assert(!stdout.includes(`"hello"`), stdout);
  },
});

testPosix("`describe` prints the description of a plugin as JSON", async () => {
  const argv = [...program("stdout_plugin.ts"), "describe"];
  const { code, stdout } = await byHand(argv, "null");
  assertEquals(code, 0);
  const description = JSON.parse(stdout);
  assertEquals(description.version, "3.2.1");
  assertEquals(description.protocols, [1]);
  assertEquals(description.components, { thing: ["printing"] });
  assertMatch(description.sdk, /^\d+\.\d+\.\d+/);
  for (const name of ["read", "write", "run", "net", "env", "ffi", "sys"]) {
    assertEquals(description.permissions[name], true, name);
  }
});

testPosix("`describe` prints the permissions of a plugin", async () => {
  const argv = program("stdout_plugin.ts").map((word) =>
    word === "--allow-all" ? "--allow-env" : word
  );
  const { stdout } = await byHand([...argv, "describe"], "null");
  const { permissions } = JSON.parse(stdout);
  assertEquals(permissions.env, true);
  assertEquals(permissions.run, false);
  assertEquals(permissions.net, false);
});
