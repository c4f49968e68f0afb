// Launching plugins: whatever the program does and however it exits, there is one clear error, and no process is left.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import {
  launch,
  type LaunchOptions,
  type Plugin,
  PluginError,
} from "../../host/mod.ts";
import {
  CREATED,
  GREETING,
  HELLO,
  Lifeline,
  program,
  Recorder,
  shellLine,
  testPosix,
  WORK_IS_A_STREAM,
} from "../support/plugin_process.ts";
import { within } from "../support/within.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { failure } from "../support/failure.ts";
import { exists } from "../support/processes.ts";

interface Working {
  ping(): Promise<string>;
  pid(): Promise<number>;
  say(...lines: string[]): Promise<void>;
  work(
    lifeline: string,
    started: () => void,
    signal: AbortSignal,
  ): Promise<void>;
  workForEver(lifeline: string, started: () => void): Promise<void>;
  startChild(lifeline: string): Promise<void>;
  never(): Promise<never>;
  exit(code: number): Promise<never>;
  throwLater(): Promise<never>;
  rejectLater(): Promise<never>;
  kill(signal: Deno.Signal): Promise<never>;
}

interface Thing {
  work(...args: unknown[]): Promise<unknown>;
}

/** Returns the error of a failed launch; checks that it names the program and is readable. */
async function refusal(
  command: string | string[],
  options: LaunchOptions = {},
): Promise<PluginError> {
  const error = await failure(launch(command, options));
  if (!(error instanceof PluginError)) throw error;
  const name = typeof command === "string" ? command : command.join(" ");
  assertStringIncludes(error.message, name);
  assertEquals(error.plugin, name);
  // deno-lint-ignore no-control-regex
  assert(!/[\x00-\x08\x0b-\x1f\x7f-\x9f]/.test(error.message), error.message);
  assert(error.message.length < 20_000, `${error.message.length} characters`);
  return error;
}

/** Returns the error of a call to a plugin that violates the protocol. */
async function end(call: Promise<unknown>, plugin: Plugin): Promise<Error> {
  const error = await failure(call);
  assertStringIncludes(error.message, plugin.name);
  assert(error.message.length < 20_000, `${error.message.length} characters`);
  return error;
}

/** Returns the error of a call in flight when the plugin's process exits. */
async function death(
  call: Promise<unknown>,
  plugin: Plugin,
): Promise<PluginError> {
  const error = await end(call, plugin);
  if (!(error instanceof PluginError)) throw error;
  assertEquals(error.plugin, plugin.name);
  return error;
}

async function assertMissing(path: string): Promise<void> {
  const error = await failure(Deno.lstat(path));
  assert(error instanceof Deno.errors.NotFound, Deno.inspect(error));
}

// Programs that cannot be started

testPosix("launch() reports a path that does not exist", async () => {
  await using directory = await TemporaryDirectory.make();
  const error = await refusal(`${directory.path}/missing`);
  assertMatch(error.message, /not exist|no such|not found|missing|no file/i);
});

testPosix("launch() reports a path that is a directory", async () => {
  await using directory = await TemporaryDirectory.make();
  assertMatch((await refusal(directory.path)).message, /director|directory/i);
});

testPosix("launch() reports a file that is not executable", async () => {
  await using directory = await TemporaryDirectory.make();
  const path = await directory.write("plugin", "#!/bin/sh\n", 0o644);
  const { message } = await refusal(path);
  assertMatch(message, /not executable/i);
  assertMatch(message, /chmod/);
});

testPosix(
  "launch() reports a plugin whose file is open for writing",
  async () => {
    await using directory = await TemporaryDirectory.make();
    const path = await directory.script("plugin", ...GREETING);
    using _writer = await Deno.open(path, { append: true });
    const { message } = await refusal(path);
    assertMatch(message, /still open for writing/);
  },
);

testPosix("launch() fails for an empty file", async () => {
  await using directory = await TemporaryDirectory.make();
  await refusal(await directory.write("plugin", "", 0o755));
});

testPosix("launch() does not run a file with a shell", async () => {
  await using directory = await TemporaryDirectory.make();
  const trace = `${directory.path}/trace`;
  const path = await directory.write("plugin", `> '${trace}'\n`, 0o755);
  await refusal(path);
  await assertMissing(trace);
});

testPosix("launch() reports a program for another platform", async () => {
  await using directory = await TemporaryDirectory.make();
  const header = new Uint8Array(64);
  const machine = Deno.build.arch === "aarch64" ? 0x3e : 0xb7;
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.set([2, 0, machine, 0, 1], 16);
  const foreign = await directory.write("plugin", header, 0o755);
  assertMatch((await refusal(foreign)).message, /platform|architecture/i);
  const windows = Uint8Array.of(0x4d, 0x5a, 0x90, 0, 3, 0, 0, 0);
  const exe = await directory.write("plugin.exe", windows, 0o755);
  assertMatch((await refusal(exe)).message, /platform|architecture|Windows/i);
});

testPosix("launch() reports a command that is not on PATH", async () => {
  const { message } = await refusal(["no-such-command-anywhere", "plugin"]);
  assertMatch(message, /not exist|no such|not found|PATH/i);
});

testPosix("launch() reports a missing interpreter of a script", async () => {
  await using directory = await TemporaryDirectory.make();
  const path = await directory.write("plugin", "#!/no/such/shell\n", 0o755);
  assertMatch((await refusal(path)).message, /interpreter|\/no\/such\/shell/);
});

testPosix("launch() reports a missing working directory", async () => {
  await using directory = await TemporaryDirectory.make();
  const path = await directory.script("plugin", HELLO, "cat");
  const cwd = `${directory.path}/missing`;
  assertStringIncludes((await refusal(path, { cwd })).message, cwd);
});

// Programs that are not plugins

testPosix(
  "launch() reports that a program which exits is not a plugin",
  async () => {
    const silent = await refusal("/bin/true");
    assertMatch(silent.message, /exit/);
    assertEquals(silent.exit, { code: 0, signal: null });
    const speaking = await refusal(["/bin/echo", "good morning"]);
    assertStringIncludes(speaking.message, "good morning");
    assertMatch(speaking.message, /baler plugin/i);
    const failing = await refusal("/bin/false");
    assertEquals(failing.exit, { code: 1, signal: null });
  },
);

testPosix(
  "launch() shows the last output of a program that failed to start",
  async () => {
    await using directory = await TemporaryDirectory.make();
    const path = await directory.script(
      "plugin",
      "echo 'libwhatever.so.3 is missing' >&2",
      "exit 127",
    );
    const error = await refusal(path);
    assertStringIncludes(error.message, "libwhatever.so.3 is missing");
    assertMatch(error.message, /127/);
    assertEquals(error.exit, { code: 127, signal: null });
    assertEquals(error.lastLines, ["libwhatever.so.3 is missing"]);
  },
);

testPosix(
  "launch() kills a program that does not complete the handshake",
  async () => {
    await using directory = await TemporaryDirectory.make();
    await using lifeline = await Lifeline.make(directory);
    const path = await directory.script(
      "plugin",
      `exec 9>'${lifeline.path}'`,
      "echo 'waiting for the moon' >&2",
      "sleep 1000 &",
      "exec cat",
    );
    const error = await refusal(path, { startTimeout: 500, grace: 100 });
    assertMatch(error.message, /0\.5 s|500 ms/);
    assertStringIncludes(error.message, "waiting for the moon");
    await lifeline.ended();
  },
);

testPosix("launch() waits for a program that a debugger holds", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = await folder.script("plugin", "sleep 1", HELLO, "exec cat");
  const options = { startTimeout: 200, answerTimeout: 200, grace: 100 };
  assertMatch((await refusal(path, options)).message, /within 0\.2 s/);
  await using plugin = await launch([path, "--inspect-brk=:9229"], options);
  assertEquals(plugin.info.protocol, 1);
});

testPosix(
  "launch() shows the incomplete hello of a program that hangs",
  async () => {
    await using directory = await TemporaryDirectory.make();
    await using lifeline = await Lifeline.make(directory);
    const path = await directory.script(
      "plugin",
      `exec 9>'${lifeline.path}'`,
      `printf '{"json":{"hello":"bal'`,
      "exec sleep 1000",
    );
    const error = await refusal(path, { startTimeout: 500, grace: 100 });
    assertMatch(error.message, /hello.{1,5}bal/);
    await lifeline.ended();
  },
);

testPosix("launch() kills a program that prints garbage", async () => {
  await using directory = await TemporaryDirectory.make();
  const garbage = {
    line: "head -c 10000000 /dev/zero | tr '\\0' 'x'; echo",
    endless: "cat /dev/zero",
    binary: "printf '\\377\\376\\000\\033\\n'; cat /dev/zero",
    controls: "printf 'a\\033[31m\\177\\302\\233\\n'",
    lines: "yes 'not a hello'",
  };
  for (const [name, command] of Object.entries(garbage)) {
    await using lifeline = await Lifeline.make(directory, `${name}.lifeline`);
    const path = await directory.script(
      name,
      `exec 9>'${lifeline.path}'`,
      command,
      "exec sleep 1000",
    );
    const { message } = await refusal(path, {
      startTimeout: 3_000,
      grace: 100,
    });
    assertMatch(message, /is not a baler plugin|handshake/);
    await lifeline.ended();
  }
});

testPosix("launch() kills a plugin whose hello is not valid", async () => {
  await using directory = await TemporaryDirectory.make();
  const hellos = [
    { json: { hello: "terraform", protocols: [1], sdk: "1", components: {} } },
    { json: { hello: "baler" } },
    { json: { hello: "baler", protocols: "1", sdk: "1", components: {} } },
    { json: { hello: "baler", protocols: [1], sdk: "1", components: [1] } },
    { json: { hello: "baler", protocols: [], sdk: "1", components: {} } },
    { json: { return: 1 } },
    { json: null },
    '{"json":{"hello":"baler","protocols":[1],"sdk":"1","components":{"__proto__":["x"]}}}',
  ];
  for (const [index, hello] of hellos.entries()) {
    await using lifeline = await Lifeline.make(directory, `lifeline${index}`);
    const path = await directory.script(
      `plugin${index}`,
      `exec 9>'${lifeline.path}'`,
      shellLine(hello),
      "exec cat",
    );
    await refusal(path, { grace: 100 });
    await lifeline.ended();
  }
  assertEquals(({} as Record<string, unknown>)[0], undefined);
});

testPosix("launch() reports which side to upgrade", async () => {
  await using directory = await TemporaryDirectory.make();
  const speaks = async (name: string, protocols: number[]) => {
    await using lifeline = await Lifeline.make(directory, `${name}.lifeline`);
    const answer = `${directory.path}/${name}.answer`;
    const path = await directory.script(
      name,
      `exec 9>'${lifeline.path}'`,
      shellLine({
        json: { hello: "baler", protocols, sdk: "9.8.7", components: {} },
      }),
      `read -r answer; printf '%s' "$answer" > '${answer}'`,
      "cat",
    );
    const { message } = await refusal(path, { grace: 1_000 });
    await lifeline.ended();
    assertMatch(message, /protocol 1\b/);
    const { json } = JSON.parse(await Deno.readTextFile(answer));
    assertMatch(json.refuse, /protocol 1\b/);
    return message;
  };
  const newer = await speaks("newer", [7, 8]);
  assertMatch(newer, /7 to 8|7, 8|7 and 8/);
  assertMatch(newer, /upgrade baler/);
  const older = await speaks("older", [0]);
  assertMatch(older, /upgrade the plugin/);
});

testPosix(
  "launch() chooses the newest protocol that both support",
  async () => {
    await using directory = await TemporaryDirectory.make();
    const path = await directory.script(
      "plugin",
      shellLine({
        json: {
          hello: "baler",
          protocols: [0, 1, 2],
          sdk: "0.0.1",
          components: { thing: ["a"] },
          added: "in a later version",
        },
      }),
      "exec cat >/dev/null",
    );
    await using plugin = await launch(path);
    assertEquals(plugin.info, {
      protocol: 1,
      sdk: "0.0.1",
      components: { thing: ["a"] },
    });
  },
);

testPosix("launch() is cancelled by a signal", async () => {
  await using directory = await TemporaryDirectory.make();
  await using lifeline = await Lifeline.make(directory);
  await using hold = await Lifeline.make(directory, "hold");
  const path = await directory.script(
    "plugin",
    `exec 9>'${hold.path}'`,
    `echo started > '${lifeline.path}'`,
    "exec sleep 1000",
  );
  const controller = new AbortController();
  const launching = failure(
    launch(path, { signal: controller.signal, grace: 100 }),
  );
  await lifeline.ended();
  controller.abort(new Error("somebody pressed Ctrl-C"));
  const error = await launching;
  assertStringIncludes(
    `${error.message} ${(error.cause as Error | undefined)?.message}`,
    "somebody pressed Ctrl-C",
  );
  await hold.ended();
});

testPosix(
  "launch() starts nothing when its signal is already aborted",
  async () => {
    await using directory = await TemporaryDirectory.make();
    const trace = `${directory.path}/trace`;
    const path = await directory.script("plugin", `> '${trace}'`, HELLO, "cat");
    const reason = new Error("too late");
    const error = await failure(
      launch(path, { signal: AbortSignal.abort(reason) }),
    );
    assertStringIncludes(
      `${error.message} ${(error.cause as Error | undefined)?.message}`,
      "too late",
    );
    const { code } = await failure(Deno.stat(trace)) as Error & {
      code: string;
    };
    assertEquals(code, "ENOENT");
  },
);

testPosix(
  "launch() starts nothing when its signal is aborted while it checks the program",
  async () => {
    await using directory = await TemporaryDirectory.make();
    const trace = `${directory.path}/trace`;
    const path = await directory.script("plugin", `> '${trace}'`, HELLO, "cat");
    const controller = new AbortController();
    const launching = failure(launch(path, { signal: controller.signal }));
    controller.abort(new Error("too late"));
    assertStringIncludes((await launching).message, "too late");
    await assertMissing(trace);
  },
);

testPosix("launch() reports an empty command", async () => {
  const { message } = await failure(launch([]));
  assertEquals(
    message,
    "a plugin has no command to start: give its path, or a command and its arguments",
  );
});

// Plugins

testPosix(
  "launch() accepts paths with spaces and non-ASCII characters",
  async () => {
    await using directory = await TemporaryDirectory.make();
    for (
      const name of ["with a space", "größe-日本-💡", "it's $HOME;\"`x`*&"]
    ) {
      const path = await directory.script(
        name,
        ...GREETING,
        "exec cat >/dev/null",
      );
      await using plugin = await launch(path);
      assertEquals(plugin.name, path);
      await plugin.create("thing", "any");
    }
  },
);

testPosix("launch() passes arguments unchanged", async () => {
  await using directory = await TemporaryDirectory.make();
  const path = await directory.script(
    "plugin",
    `printf '%s\\n' "$@" >&2`,
    ...GREETING,
    "exec cat >/dev/null",
  );
  const args = ["", "two words", "$HOME", "*", "'", '"', "größe", "a\nb"];
  await using plugin = await launch([path, ...args]);
  await plugin.create("thing", "any");
  await plugin.close();
  assertEquals(plugin.lastLines, args.join("\n").split("\n"));
});

testPosix("launch() finds a command on PATH", async () => {
  await using directory = await TemporaryDirectory.make();
  const path = await directory.script("plugin", HELLO, "exec cat >/dev/null");
  await using named = await launch(["env", "A=b", path], { name: "short" });
  assertEquals(named.name, "short");
  await using other = await launch(["/usr/bin/env", path]);
  assertStringIncludes(other.name, path);
});

testPosix(
  "launch() sets the environment and the working directory of a plugin",
  async () => {
    await using directory = await TemporaryDirectory.make();
    const path = await directory.script(
      "plugin",
      `printf '%s %s [%s]\\n' "$PWD" "$BALER_TEST" "$HOME" >&2`,
      HELLO,
      "exec cat >/dev/null",
    );
    const env = { BALER_TEST: "one", PATH: Deno.env.get("PATH")! };
    const plugin = await launch(path, { cwd: directory.path, env });
    await plugin.close();
    assertEquals(plugin.lastLines, [`${directory.path} one []`]);
  },
);

testPosix(
  "launch() returns the plugin's description from the handshake",
  async () => {
    await using plugin = await launch(program("worker_plugin.ts"));
    assertEquals(plugin.info.protocol, 1);
    assertEquals(plugin.info.version, "1.2.3");
    assertEquals(plugin.info.components, { thing: ["working"] });
    const working = await plugin.create<Working>("thing", "working");
    assertEquals(await working.pid(), plugin.pid);
    const { message } = await failure(plugin.create("thing", "idle"));
    assertMatch(message, /idle/);
    assertMatch(message, /working/);
    assertEquals(await working.ping(), "pong");
  },
);

// Plugins that die

const deaths: Record<string, {
  dies: (working: Working) => Promise<unknown>;
  exit: { code: number | null; signal: string | null };
  pattern: RegExp;
  lastLine: RegExp;
}> = {
  "exits with code 0": {
    dies: (working) => working.exit(0),
    exit: { code: 0, signal: null },
    pattern: /code 0|status 0/,
    lastLine: /^the last words$/,
  },
  "exits with code 3": {
    dies: (working) => working.exit(3),
    exit: { code: 3, signal: null },
    pattern: /code 3|status 3/,
    lastLine: /^the last words$/,
  },
  "throws an uncaught error": {
    dies: (working) => working.throwLater(),
    exit: { code: 1, signal: null },
    pattern: /code 1|status 1/,
    lastLine: /nobody catches this/,
  },
  "has an unhandled rejection": {
    dies: (working) => working.rejectLater(),
    exit: { code: 1, signal: null },
    pattern: /code 1|status 1/,
    lastLine: /nobody awaits this/,
  },
  "is killed": {
    dies: (working) => working.kill("SIGKILL"),
    exit: { code: null, signal: "SIGKILL" },
    pattern: /SIGKILL/,
    lastLine: /^the last words$/,
  },
};

for (const [how, { dies, exit, pattern, lastLine }] of Object.entries(deaths)) {
  testPosix(`a plugin that ${how} fails every call in flight`, async () => {
    await using plugin = await launch(program("worker_plugin.ts"));
    const working = await plugin.create<Working>("thing", "working");
    await working.say("line 1", "line 2");
    const calls = [working.never(), working.never(), dies(working)];
    const errors = await Promise.all(calls.map((call) => death(call, plugin)));
    for (const error of errors) {
      assertEquals(error.exit, exit);
      assertMatch(error.message, pattern);
      assert(error.lastLines.some((line) => lastLine.test(line)));
      assert(error.message.split("\n").some((line) => line.includes("line 2")));
      assertEquals(error.lastLines.slice(0, 2), ["line 1", "line 2"]);
    }
    const { message } = await end(working.ping(), plugin);
    assertMatch(message, pattern);
    assertStringIncludes(message, "(in ping())");
    const later = plugin.create("thing", "working");
    assertMatch((await end(later, plugin)).message, pattern);
  });
}

testPosix("a plugin killed by another process fails its calls", async () => {
  await using plugin = await launch(program("worker_plugin.ts"));
  const working = await plugin.create<Working>("thing", "working");
  const call = death(working.never(), plugin);
  Deno.kill(plugin.pid!, "SIGKILL");
  assertEquals((await call).exit, { code: null, signal: "SIGKILL" });
});

testPosix("a plugin that crashes fails its calls", async () => {
  await using directory = await TemporaryDirectory.make();
  const path = await directory.script(
    "plugin",
    "ulimit -c 0",
    ...GREETING,
    "read -r call",
    "printf 'the last words' >&2",
    "kill -s SEGV $$",
  );
  await using plugin = await launch(path);
  const thing = await plugin.create<Thing>("thing", "any");
  const error = await death(thing.work(), plugin);
  assertEquals(error.exit, { code: null, signal: "SIGSEGV" });
  assertMatch(error.message, /SIGSEGV/);
  assertStringIncludes(error.message, "the last words");
});

testPosix(
  "a plugin's death aborts the signals and streams that it sent",
  async () => {
    await using directory = await TemporaryDirectory.make();
    const path = await directory.script(
      "plugin",
      ...GREETING,
      "read -r call",
      shellLine({
        json: { return: 2, value: { a: { ref: 2 }, b: { ref: 3 } } },
        meta: {
          values: {
            "value.a": [["custom", "signal"]],
            "value.b": [["custom", "readable"]],
          },
          v: 1,
        },
      }),
      "read -r read",
      "exit 5",
    );
    await using plugin = await launch(path);
    const thing = await plugin.create<Thing>("thing", "any");
    const { a, b } = await thing.work() as {
      a: AbortSignal;
      b: ReadableStream<Uint8Array>;
    };
    const aborted = new Promise<void>((resolve) =>
      a.addEventListener("abort", () => resolve())
    );
    const error = await failure(b.getReader().read());
    assertStringIncludes(error.message, path);
    await within("the abort", aborted);
    assertStringIncludes(String(a.reason), path);
  },
);

testPosix(
  "a plugin that closes its stdout without exiting is killed",
  async () => {
    await using directory = await TemporaryDirectory.make();
    await using lifeline = await Lifeline.make(directory);
    const path = await directory.script(
      "plugin",
      `exec 9>'${lifeline.path}'`,
      ...GREETING,
      "read -r call",
      "exec sleep 1000 >&-",
    );
    await using plugin = await launch(path, { grace: 100 });
    const thing = await plugin.create<Thing>("thing", "any");
    await end(thing.work(), plugin);
    await lifeline.ended();
  },
);

const lies: Record<string, string> = {
  "prints a message that is no JSON": `echo '{"json":{"return":2'`,
  "prints a message of no kind": shellLine({ json: { shout: 2 } }),
  "prints another's JSON": `echo '{"level":"info"}'`,
  "prints more than 1 MiB of text": "yes 'Downloading...' | head -c 1100000",
  "answers a call that was not made": shellLine({ json: { return: 77 } }),
  "answers a call twice": shellLine({ json: { return: 1 } }),
  "sends __proto__ in an answer": shellLine(
    '{"json":{"return":2,"value":{"__proto__":{"polluted":true}}}}',
  ),
  "sends __proto__ in a path": shellLine(
    '{"json":{"return":2,"value":{"a":1}},"meta":{"values":{"value.__proto__.polluted":["undefined"]},"v":1}}',
  ),
  "sends __proto__ in the fields of an object": shellLine(
    '{"json":{"return":2,"value":{"ref":4,"fields":{"json":{"__proto__":{"polluted":true}}}}},"meta":{"values":{"value":[["custom","object"]]},"v":1}}',
  ),
  "sends __proto__ in an error": shellLine(
    '{"json":{"throw":2,"error":{"name":"Error","message":"x","__proto__":{"polluted":true}}},"meta":{"values":{"error":[["custom","error"]]},"v":1}}',
  ),
  "prints a line of 65 MiB":
    'printf \'{"json":{"return":2,"value":"\'; head -c 68157440 /dev/zero | tr \'\\0\' a; echo \'"}}\'',
  "prints a line without an end": "exec cat /dev/zero",
  "promises too many bytes": shellLine({
    json: { return: 2, value: 0, bytes: [2 ** 30, 2 ** 30] },
    meta: { values: { value: [["custom", "bytes"]] }, v: 1 },
  }),
  "sends hello again": HELLO,
  "releases what it never got": shellLine({ json: { release: 9, count: 1 } }),
  "aborts a reference that is not a signal": shellLine({ json: { abort: 1 } }),
};

for (const [how, lie] of Object.entries(lies)) {
  testPosix(`a plugin that ${how} fails its calls and is ended`, async () => {
    await using directory = await TemporaryDirectory.make();
    await using lifeline = await Lifeline.make(directory);
    const path = await directory.script(
      "plugin",
      `exec 9>'${lifeline.path}'`,
      ...GREETING,
      "read -r first; read -r second",
      lie,
      "exec sleep 1000",
    );
    await using plugin = await launch(path, { grace: 100 });
    const thing = await plugin.create<Thing>("thing", "any");
    const calls = [thing.work(1), thing.work(2)];
    await Promise.all(calls.map((call) => end(call, plugin)));
    await lifeline.ended();
    assertEquals(({} as Record<string, unknown>).polluted, undefined);
    assertEquals(
      (Object as unknown as Record<string, unknown>).polluted,
      undefined,
    );
  });
}

for (
  const [what, lie] of Object.entries({
    "nothing": undefined,
    "no end and no chunk": {},
    "a text for a list of chunks": { done: false, values: "chunks" },
    "a list without a chunk": { done: false, values: [] },
    "a list of other things than bytes": { done: false, values: [1, {}] },
    "more chunks than may be": { done: false, values: Array(5).fill("") },
  })
) {
  testPosix(
    `a read answered with ${what} fails, and hurts no other call`,
    async () => {
      await using directory = await TemporaryDirectory.make();
      const path = await directory.script(
        "plugin",
        ...GREETING,
        ...WORK_IS_A_STREAM,
        "read -r read",
        shellLine({ json: { return: 3, value: lie } }),
        // Seven more reads are in flight.
        ...Array(7).fill("read -r read"),
        "read -r work",
        shellLine({ json: { return: 11, value: "done" } }),
        "exec cat >/dev/null",
      );
      await using plugin = await launch(path, { grace: 100 });
      const thing = await plugin.create<Thing>("thing", "any");
      const stream = await thing.work() as ReadableStream<unknown>;
      const { message } = await end(stream.getReader().read(), plugin);
      assertStringIncludes(message, "invalid result of a stream's read");
      assertEquals(await thing.work(), "done");
    },
  );
}

testPosix(
  "a line on stdout that is no message is logged, and the call continues",
  async () => {
    await using directory = await TemporaryDirectory.make();
    const path = await directory.script(
      "plugin",
      "echo 'Welcome to build1!'",
      "echo",
      ...GREETING,
      "read -r call",
      "echo 'Downloading index... done'",
      "printf 'half a line'; echo",
      shellLine({ json: { return: 2, value: "done" } }),
      "read -r call",
      "exec printf 'no end'",
    );
    const record = new Recorder();
    await using plugin = await launch(path, { log: record.log });
    const thing = await plugin.create<Thing>("thing", "any");
    assertEquals(await thing.work(), "done");
    await death(thing.work(), plugin);
    const lines = record.lines.filter((line) => !/Plugin /.test(line));
    const texts = [
      "Welcome to build1!",
      "Downloading index... done",
      "half a line",
      "no end",
    ];
    assertEquals(
      lines,
      texts.map((line) => `2013/06/10 21:44:43 ${path}: ${line}`),
    );
  },
);

testPosix("a fault of one plugin does not affect the others", async () => {
  await using directory = await TemporaryDirectory.make();
  const path = await directory.script(
    "bad",
    ...GREETING,
    "read -r x",
    HELLO,
    "exec cat >/dev/null",
  );
  await using good = await launch(program("worker_plugin.ts"));
  await using bad = await launch(path, { grace: 100 });
  const working = await good.create<Working>("thing", "working");
  const thing = await bad.create<Thing>("thing", "any");
  await end(thing.work(), bad);
  assertEquals(await working.ping(), "pong");
});

// Shutdown

testPosix("close() lets calls in flight clean up", async () => {
  await using directory = await TemporaryDirectory.make();
  await using lifeline = await Lifeline.make(directory);
  const plugin = await launch(program("worker_plugin.ts"));
  const working = await plugin.create<Working>("thing", "working");
  const { promise: started, resolve } = Promise.withResolvers<void>();
  const call = failure(
    working.work(lifeline.path, resolve, new AbortController().signal),
  );
  await within("the start", started);
  await plugin.close();
  assertStringIncludes((await call).message, plugin.name);
  assertEquals(
    await lifeline.ended(),
    "working\ncleaning up\ncleaned up\n",
  );
  await plugin.close();
});

testPosix("close() resolves when the process has exited", async () => {
  const plugin = await launch(program("worker_plugin.ts"));
  const pid = plugin.pid!;
  await Promise.all([plugin.close(), plugin.close()]);
  assert(!await exists(pid));
  const error = await failure(plugin.create("thing", "working"));
  assertStringIncludes(error.message, plugin.name);
});

testPosix(
  "close() sends SIGTERM, then SIGKILL, to a plugin that does not exit",
  async () => {
    await using directory = await TemporaryDirectory.make();
    const closed = async (name: string, trap: string) => {
      await using lifeline = await Lifeline.make(directory, `${name}.lifeline`);
      const path = await directory.script(
        name,
        `exec 9>'${lifeline.path}'`,
        trap,
        ...GREETING,
        "while :; do sleep 0.1; done",
      );
      const plugin = await launch(path, { grace: 300 });
      await plugin.create("thing", "any");
      const from = performance.now();
      await plugin.close();
      const took = performance.now() - from;
      return { took, text: await lifeline.ended() };
    };
    const [term, kill] = await Promise.all([
      closed("term", "trap 'echo terminated >&9; exit 0' TERM"),
      closed("kill", "trap 'echo terminated >&9' TERM"),
    ]);
    assertEquals(term.text, "terminated\n");
    assert(term.took >= 250, `${term.took} ms`);
    assertEquals(kill.text, "terminated\n");
    assert(kill.took >= 2_000, `${kill.took} ms`);
    // Both ran at the same time, so load stretches both.
    assert(term.took < kill.took, `${term.took} ms, ${kill.took} ms`);
  },
);

testPosix(
  "close() returns why the shutdown failed, unless a caller has received the error",
  async () => {
    await using directory = await TemporaryDirectory.make();
    const closed = async (name: string, ...end: string[]) => {
      const path = await directory.script(name, ...GREETING, ...end);
      const grace = name === "late" ? 300 : undefined;
      const plugin = await launch(path, { grace });
      await plugin.create("thing", "any");
      return { path, error: await plugin.close() };
    };
    const [well, badly, killed, late] = await Promise.all([
      closed("well", "cat >/dev/null"),
      closed("badly", "cat >/dev/null", "echo no disk >&2", "exit 3"),
      closed("killed", "cat >/dev/null", "kill -SEGV $$"),
      closed("late", "trap 'exit 0' TERM", "while :; do sleep 0.1; done"),
    ]);
    assertEquals(well.error, undefined);
    assertEquals(
      badly.error?.message,
      `${badly.path} exited with code 3 while it shut down\nIt wrote:\n    no disk`,
    );
    assertEquals(badly.error?.exit, { code: 3, signal: null });
    assertMatch(killed.error!.message, /was killed by SIGSEGV while it shut/);
    assertMatch(late.error!.message, /did not exit within 0\.3 s .*was killed/);

    const dead = await launch(program("worker_plugin.ts"));
    const working = await dead.create<Working>("thing", "working");
    await death(working.exit(3), dead);
    assertEquals(await dead.close(), undefined);
  },
);

testPosix("close() leaves no process that the plugin started", async () => {
  await using directory = await TemporaryDirectory.make();
  const started = [
    "sleep 1000 &",
    "(sleep 1000 &) &",
    "(trap '' TERM HUP; while :; do sleep 0.1; done) &",
    "nohup sleep 1000 >/dev/null 2>&1 </dev/null &",
    "sleep 1000 </dev/null >/dev/null 2>&1 &",
  ];
  await using lifeline = await Lifeline.make(directory);
  const path = await directory.script(
    "plugin",
    `exec 9>'${lifeline.path}'`,
    ...started,
    ...GREETING,
    "exec cat >/dev/null",
  );
  const plugin = await launch(path);
  await plugin.create("thing", "any");
  const from = performance.now();
  await plugin.close();
  // It did not get the whole grace period.
  assert(performance.now() - from < 15_000);
  await lifeline.ended();
});

testPosix("a plugin that died leaves no process that it started", async () => {
  await using directory = await TemporaryDirectory.make();
  await using lifeline = await Lifeline.make(directory);
  const path = await directory.script(
    "plugin",
    `exec 9>'${lifeline.path}'`,
    "sleep 1000 &",
    ...GREETING,
    "read -r call",
    "exit 7",
  );
  await using plugin = await launch(path);
  const thing = await plugin.create<Thing>("thing", "any");
  assertEquals((await death(thing.work(), plugin)).exit?.code, 7);
  await lifeline.ended();
});

/** Kills a host during a call; returns what its plugin wrote after that, and how long it lived. */
async function killHost(...call: string[]) {
  await using directory = await TemporaryDirectory.make();
  await using lifeline = await Lifeline.make(directory);
  const [command, ...args] = program("killed_host.ts") as [string, ...string[]];
  await using host = new Deno.Command(command, {
    args: [...args, lifeline.path, ...call],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const said = host.stdout.getReader();
  const { value } = await within("the host's start", said.read());
  assertEquals(new TextDecoder().decode(value), "working\n");
  const from = performance.now();
  host.kill("SIGKILL");
  await said.cancel();
  const text = await lifeline.ended();
  return { text, took: performance.now() - from };
}

testPosix("a plugin cleans up and exits when its host is killed", async () => {
  const { text } = await killHost("work");
  assertEquals(text, "working\ncleaning up\ncleaned up\n");
});

testPosix(
  "a plugin whose call does not return does not outlive its host",
  async () => {
    const { took } = await killHost("workForEver");
    assert(took < 60_000, `${took} ms`);
  },
);

testPosix(
  "the processes of a plugin exit with it when its host is killed",
  async () => {
    const { text } = await killHost("work", "startChild");
    assertEquals(text, "working\ncleaning up\ncleaned up\n");
  },
);

testPosix(
  "a host that exits without closing its plugins leaves none",
  async () => {
    await using directory = await TemporaryDirectory.make();
    await using lifeline = await Lifeline.make(directory);
    const path = await directory.script(
      "plugin",
      `exec 9>'${lifeline.path}'`,
      ...[HELLO, "read -r welcome", "read -r create", CREATED],
      "exec cat >/dev/null",
    );
    const host = `import { launch } from ${
      JSON.stringify(new URL("../../host/mod.ts", import.meta.url))
    };
    const plugin = await launch(${JSON.stringify(path)});
    await plugin.create("thing", "any");
    Deno.exit(0);`;
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        `--config=${new URL("../../deno.json", import.meta.url).pathname}`,
        host,
      ],
      stdin: "null",
      stderr: "inherit",
    }).output();
    assert(success);
    await lifeline.ended();
  },
);
