// The communicator "local" runs commands and copies files on this machine, and
// leaves nothing behind.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { warnOfBackground } from "../../plugin/builder/communicators/background_warning.ts";
import { LocalCommunicator } from "../../plugin/builder/communicators/local.ts";
import { outputLines } from "../../plugin/bundled/shell/output_lines.ts";
import { collected } from "../support/component_runner.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { isRunning } from "../support/processes.ts";
import { HANG_LIMIT_MS } from "../support/within.ts";

Deno.test("LocalCommunicator.start() gives the exit status, the output and the errors of a command", async () => {
  await using dir = await TemporaryDirectory.make();
  await using local = new LocalCommunicator({ workingDirectory: dir.path });
  const [out, err] = [collected(), collected()];
  const running = local.start({
    command: "pwd; echo bad >&2; cat; exit 7",
    stdin: ReadableStream.from([new TextEncoder().encode("given")]),
    stdout: out.stream,
    stderr: err.stream,
  });
  assertEquals(await running.wait(), 7);
  assertEquals(await running.wait(), 7);
  assertEquals(out.text(), `${dir.path}\ngiven`);
  assertEquals(err.text(), "bad\n");
});

Deno.test("LocalCommunicator.start() returns 128 plus the number of the signal that killed the command", async () => {
  await using local = new LocalCommunicator({ workingDirectory: "/" });
  assertEquals(await local.start({ command: "kill -9 $$" }).wait(), 137);
});

Deno.test("LocalCommunicator.start() lets a slow reader slow the command down", async () => {
  await using dir = await TemporaryDirectory.make();
  await using local = new LocalCommunicator({ workingDirectory: dir.path });
  const first = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  let bytes = 0;
  const running = local.start({
    // The size of what was written so far, a pipe's worth after the other.
    command:
      "for i in 1 2 3 4 5 6 7 8 9 10; do head -c 100000 /dev/zero; echo . >>written; done",
    stdout: new WritableStream({
      async write(chunk) {
        bytes += chunk.length;
        first.resolve();
        await goOn.promise;
      },
    }),
  });
  await first.promise;
  // Another command can run from start to finish meanwhile.
  await local.start({ command: "sleep 0.2" }).wait();
  const { size } = await Deno.stat(join(dir.path, "written")).catch(() => ({
    size: 0,
  }));
  assert(size < 12, `${size / 2} of 10 pieces were written unread`);
  goOn.resolve();
  assertEquals(await running.wait(), 0);
  assertEquals(bytes, 1_000_000);
});

Deno.test("LocalCommunicator.start() kills the command and all its children when aborted", async () => {
  await using local = new LocalCommunicator({ workingDirectory: "/" });
  const controller = new AbortController();
  const pids = Promise.withResolvers<number[]>();
  const running = local.start({
    // The grandchild ignores SIGTERM, and its parent has exited.
    command:
      `(sh -c 'trap "" TERM; echo $$; while :; do sleep 1; done' &) ; echo $$; sleep 1000`,
    stdout: outputPids(2, pids.resolve),
    signal: controller.signal,
  });
  const started = await pids.promise;
  for (const pid of started) assert(await isRunning(pid));
  controller.abort(new Error("enough"));
  await assertRejects(async () => await running.wait(), Error, "enough");
  for (const pid of started) assertEquals(await isRunning(pid), false);
});

Deno.test("LocalCommunicator.start() does not wait for background processes, which are killed with the communicator", async () => {
  const local = new LocalCommunicator({ workingDirectory: "/" });
  const out = collected();
  const pid = Promise.withResolvers<number[]>();
  const lines = outputPids(1, pid.resolve);
  const writer = lines.getWriter();
  const running = local.start({
    command: "sleep 1000 & echo $!",
    stdout: new WritableStream({
      async write(chunk) {
        await writer.write(chunk);
        await out.stream.getWriter().write(chunk);
      },
      close: () => writer.close(),
    }),
  });
  const [left] = await pid.promise;
  assertEquals(await running.wait(), 0);
  assertEquals(out.text(), `${left}\n`);
  assert(await isRunning(left!));
  await local[Symbol.asyncDispose]();
  assertEquals(await isRunning(left!), false);
});

Deno.test("LocalCommunicator reports what a command leaves running, once", async () => {
  await using dir = await TemporaryDirectory.make();
  const ui = new RecordingLines();
  {
    await using local = new LocalCommunicator({
      workingDirectory: dir.path,
      onBackground: (members) => warnOfBackground(ui, members),
    });
    assertEquals(await local.start({ command: "sleep 1001 &" }).wait(), 0);
    // A command that leaves nothing is not mentioned, nor the first one again.
    assertEquals(await local.start({ command: "true | cat" }).wait(), 0);
  }
  assertEquals(ui.lines.length, 1);
  assertMatch(
    ui.lines[0]!,
    /^Warning: the command left processes running in the background: sleep 1001 \(pid \d+\)\. They are ended with the build/,
  );
});

Deno.test("builder null and shell-local warn of what is left running in the background", async () => {
  await using dir = await TemporaryDirectory.make();
  const template = {
    builders: [{ type: "null", communicator: "local" }],
    provisioners: [
      { type: "shell", inline: ["sleep 1002 >/dev/null 2>&1 &"] },
      { type: "shell-local", inline: ["sleep 1003 >/dev/null 2>&1 &"] },
    ],
    "post-processors": [
      { type: "shell-local", inline: ["sleep 1004 >/dev/null 2>&1 &"] },
    ],
  };
  await Deno.writeTextFile(join(dir.path, "t.json"), JSON.stringify(template));
  const cli = new URL("../../cli.ts", import.meta.url).pathname;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", cli, "build", "t.json"],
    cwd: dir.path,
  }).output();
  const text = new TextDecoder().decode(stdout) +
    new TextDecoder().decode(stderr);
  assert(success, text);
  for (const seconds of [1002, 1003, 1004]) {
    const found = [
      ...text.matchAll(new RegExp(`Warning: .*sleep ${seconds} `, "g")),
    ];
    assertEquals(found.length, 1, text);
  }
});

class RecordingLines {
  readonly lines: string[] = [];
  error(line: string) {
    this.lines.push(line);
  }
}

Deno.test("LocalCommunicator's commands do not outlive a process that is killed", async () => {
  const module = new URL(
    "../../plugin/builder/communicators/local.ts",
    import.meta.url,
  );
  const victim = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `import { LocalCommunicator } from ${JSON.stringify(module.href)};
       const local = new LocalCommunicator({ workingDirectory: "/" });
       await local.start({
         command: "echo $$; exec sleep 1000",
         stdout: new WritableStream({ write: (chunk) => Deno.stdout.writeSync(chunk) }),
       }).wait();`,
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = victim.stdout.getReader();
  const pid = Number(new TextDecoder().decode((await reader.read()).value));
  await reader.cancel();
  assert(await isRunning(pid));
  victim.kill("SIGKILL");
  await victim.status;
  const end = performance.now() + HANG_LIMIT_MS;
  while (await isRunning(pid)) {
    assert(performance.now() < end, `process ${pid} is still running`);
  }
});

Deno.test("LocalCommunicator.start() reports a command that cannot be started", async () => {
  await using local = new LocalCommunicator({ workingDirectory: "/nowhere" });
  let message = "";
  try {
    local.start({ command: "true" });
  } catch (error) {
    message = (error as Error).message;
  }
  assert(message.startsWith("cannot start /bin/sh: "), message);
});

Deno.test("LocalCommunicator.upload() and download() copy a file with its mode", async () => {
  await using dir = await TemporaryDirectory.make({
    "old": "a much longer text than the new",
  });
  await using local = new LocalCommunicator({ workingDirectory: dir.path });
  await local.upload({
    path: "old",
    source: ReadableStream.from([new Uint8Array([1, 2]), new Uint8Array([3])]),
    mode: 0o751,
  });
  const { mode } = await Deno.stat(join(dir.path, "old"));
  assertEquals(mode! & 0o7777, 0o751);
  const got = collected();
  await local.download({ path: "old", destination: got.stream });
  assertEquals(got.text(), "\x01\x02\x03");
});

Deno.test("LocalCommunicator.upload() and download() report a file that cannot be opened, and cancel the stream", async () => {
  await using dir = await TemporaryDirectory.make();
  await using local = new LocalCommunicator({ workingDirectory: dir.path });
  let cancelled = false;
  await assertRejects(
    () =>
      local.upload({
        path: "no/where",
        source: new ReadableStream({
          cancel: () => {
            cancelled = true;
          },
        }),
      }),
    Error,
    "open no/where: no such file or directory",
  );
  assert(cancelled);
  await assertRejects(
    () => local.download({ path: ".", destination: collected().stream }),
    Error,
    "open .: is a directory",
  );
});

Deno.test("LocalCommunicator.uploadDir() and downloadDir() copy as rsync does", async () => {
  await using dir = await TemporaryDirectory.make({
    "src/a.txt": "a",
    "src/sub/b.txt": "b",
    "src/sub/skip/c.txt": "c",
  });
  const at = (path: string) => join(dir.path, path);
  await Deno.chmod(at("src/a.txt"), 0o640);
  await Deno.chmod(at("src/sub"), 0o711);
  await Deno.symlink("a.txt", at("src/link"));
  await Deno.symlink("nowhere", at("src/dangling"));
  await using local = new LocalCommunicator({ workingDirectory: dir.path });
  await local.uploadDir({
    source: "src",
    destination: "whole",
    exclude: ["sub/skip"],
  });
  await local.downloadDir({ source: "src/", destination: at("content") });
  assertEquals(await tree(at("whole")), [
    "src/",
    "src/a.txt",
    "src/dangling -> nowhere",
    "src/link -> a.txt",
    "src/sub/",
    "src/sub/b.txt",
  ]);
  assertEquals(await tree(at("content")), [
    "a.txt",
    "dangling -> nowhere",
    "link -> a.txt",
    "sub/",
    "sub/b.txt",
    "sub/skip/",
    "sub/skip/c.txt",
  ]);
  const modeOf = async (path: string) =>
    (await Deno.stat(at(path))).mode! & 0o7777;
  assertEquals(await modeOf("whole/src/a.txt"), 0o640);
  assertEquals(await modeOf("whole/src/sub"), 0o711);
  // Once more over what is there.
  await local.uploadDir({ source: "src", destination: "whole" });
  await local.downloadDir({ source: "src/s*", destination: at("some") });
  assertEquals((await tree(at("some")))[0], "sub/");
  await assertRejects(
    () => local.uploadDir({ source: "src", destination: "src/sub" }),
    Error,
    "into itself",
  );
});

Deno.test("outputLines() shows whole lines of UTF-8, however the bytes come", async () => {
  const lines: string[] = [];
  const writer = outputLines((line) => void lines.push(line)).getWriter();
  const bytes = new TextEncoder().encode(
    "grün  \r\n\n10%\r50%\r100%\n\tin\nlast \u{1F600}",
  );
  for (const byte of bytes) await writer.write(new Uint8Array([byte]));
  await writer.close();
  assertEquals(lines, ["grün", "", "100%", "\tin", "last \u{1F600}"]);
});

Deno.test("outputLines() keeps no line without an end in memory", async () => {
  const lengths: number[] = [];
  const writer = outputLines((line) => void lengths.push(line.length))
    .getWriter();
  const chunk = new Uint8Array(100_000).fill(120);
  for (let i = 0; i < 10; i++) await writer.write(chunk);
  assert(lengths.length >= 3);
  await writer.close();
  assertEquals(lengths.reduce((sum, length) => sum + length), 1_000_000);
});

/** Takes numbers, one a line, until there are enough of them. */
function outputPids(count: number, tell: (pids: number[]) => void) {
  const pids: number[] = [];
  return outputLines((line) => {
    pids.push(Number(line));
    if (pids.length === count) tell(pids);
  });
}

async function tree(root: string, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(join(root, prefix))) {
    const name = prefix + entry.name;
    if (entry.isDirectory) {
      found.push(`${name}/`, ...await tree(root, `${name}/`));
    } else if (entry.isSymlink) {
      found.push(`${name} -> ${await Deno.readLink(join(root, name))}`);
    } else found.push(name);
  }
  return found.sort();
}
