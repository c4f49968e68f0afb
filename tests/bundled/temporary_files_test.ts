// Temporary files and unfinished outputs: other users cannot guess their names, put
// another file in their place or read them, and they are removed after any death of the
// process that made them.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { basename, join } from "@std/path";
import { HANG_LIMIT_MS } from "../support/within.ts";
import Manifest from "../../plugin/bundled/post_processors/manifest.ts";
import Shell from "../../plugin/bundled/provisioners/shell.ts";
import { LocalCommunicator } from "../../plugin/builder/communicators/local.ts";
import { OutputFile } from "../../plugin/bundled/shared/output_file.ts";
import { TemporaryFile } from "../../plugin/bundled/shell/temporary_file.ts";
import type { Upload } from "../../plugin/contract/communicator.ts";
import { provisioned } from "../support/component_runner.ts";
import { processed } from "../support/post_processor_program.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { isRunning } from "../support/processes.ts";

const UUID = "[\\da-f]{8}(-[\\da-f]{4}){3}-[\\da-f]{12}";

async function names(directory: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(directory));
  return entries.map(({ name }) => name).sort();
}

/** Waits until a directory has these entries. */
async function becomes(directory: string, expected: string[]): Promise<void> {
  const deadline = performance.now() + HANG_LIMIT_MS;
  for (;;) {
    const found = await names(directory);
    if (JSON.stringify(found) === JSON.stringify(expected)) return;
    if (performance.now() > deadline) assertEquals(found, expected);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test("shell uploads scripts under unpredictable names, private before they have content", async () => {
  await using dir = await TemporaryDirectory.make();
  await using local = new LocalCommunicator({ workingDirectory: dir.path });
  const uploads: Upload[] = [];
  const modes: string[] = [];
  await provisioned(new Shell(), {
    dir: dir.path,
    config: {
      inline: ["stat -c %a $0"],
      remote_folder: dir.path,
      use_env_var_file: true,
    },
    communicator: {
      start: (command) => local.start(command),
      upload: (upload) => {
        uploads.push(upload);
        const reader = upload.source.getReader();
        return local.upload({
          ...upload,
          source: new ReadableStream({
            async pull(controller) {
              const { mode, size } = await Deno.lstat(upload.path);
              modes.push(`${(mode! & 0o7777).toString(8)} ${size}`);
              const { done, value } = await reader.read();
              if (done) controller.close();
              else controller.enqueue(value);
            },
          }, { highWaterMark: 0 }),
        });
      },
      uploadDir() {},
      download() {},
      downloadDir() {},
    },
  });
  assertMatch(basename(uploads[0]!.path), new RegExp(`^varfile_${UUID}\\.sh$`));
  assertMatch(basename(uploads[1]!.path), new RegExp(`^script_${UUID}\\.sh$`));
  assertEquals(modes[0], "600 0");
  assert(modes.includes("700 0"), modes.join(", "));
  assert(modes.every((mode) => /^[67]00 /.test(mode)), modes.join(", "));
  for (const { exclusive, temporary } of uploads) {
    assertEquals([exclusive, temporary], [true, true]);
  }
  assertEquals(await names(dir.path), []);
});

Deno.test("shell replaces what is planted at its remote_path, and does not follow it", async () => {
  await using dir = await TemporaryDirectory.make({ "victim": "precious" });
  for (const target of ["victim", "dangling"]) {
    await Deno.symlink(join(dir.path, target), join(dir.path, "there.sh"));
    const lines = await provisioned(new Shell(), {
      dir: dir.path,
      config: {
        inline: ["echo ran"],
        remote_folder: dir.path,
        remote_file: "there.sh",
      },
    });
    assertEquals(lines.slice(1), ["message: ran"]);
    assertEquals(await names(dir.path), ["victim"]);
  }
  assertEquals(await Deno.readTextFile(join(dir.path, "victim")), "precious");
});

Deno.test("LocalCommunicator.upload() with exclusive fails if the path exists, even as a symlink", async () => {
  await using dir = await TemporaryDirectory.make({ "file": "old" });
  await Deno.symlink("nowhere", join(dir.path, "dangling"));
  await using local = new LocalCommunicator({ workingDirectory: dir.path });
  for (const path of ["file", "dangling", "."]) {
    await assertRejects(
      () =>
        local.upload({
          path,
          source: ReadableStream.from([new Uint8Array([1])]),
          exclusive: true,
        }),
      Error,
      `open ${path}: `,
    );
  }
  assertEquals(await names(dir.path), ["dangling", "file"]);
  assertEquals(await Deno.readTextFile(join(dir.path, "file")), "old");
});

Deno.test("LocalCommunicator.upload() narrows a file's mode before it writes to it", async () => {
  await using dir = await TemporaryDirectory.make({ "file": "old" });
  await Deno.chmod(join(dir.path, "file"), 0o666);
  await using local = new LocalCommunicator({ workingDirectory: dir.path });
  let mode = 0;
  await local.upload({
    path: "file",
    mode: 0o600,
    source: new ReadableStream({
      async pull(controller) {
        mode = (await Deno.stat(join(dir.path, "file"))).mode! & 0o777;
        controller.enqueue(new Uint8Array([1]));
        controller.close();
      },
    }, { highWaterMark: 0 }),
  });
  assertEquals(mode, 0o600);
});

Deno.test("a temporary upload that a command has replaced is not removed", async () => {
  await using dir = await TemporaryDirectory.make();
  {
    await using local = new LocalCommunicator({ workingDirectory: dir.path });
    const upload = (path: string) =>
      local.upload({
        path,
        source: ReadableStream.from([new Uint8Array([1])]),
        temporary: true,
      });
    await upload("a");
    await upload("b");
    await local.start({ command: "rm a" }).wait();
    await Deno.writeTextFile(join(dir.path, "a"), "another's");
  }
  assertEquals(await names(dir.path), ["a"]);
});

Deno.test("TemporaryFile is private, has an unguessable name, and is removed when aborted", async () => {
  const controller = new AbortController();
  await using file = await TemporaryFile.create("content", {
    prefix: "baler-test",
    suffix: ".x",
    signal: controller.signal,
  });
  assertMatch(basename(file.path), new RegExp(`^baler-test-${UUID}\\.x$`));
  assertEquals((await Deno.stat(file.path)).mode! & 0o777, 0o700);
  assertEquals(await Deno.readTextFile(file.path), "content");
  controller.abort();
  const deadline = performance.now() + HANG_LIMIT_MS;
  while (await Deno.lstat(file.path).then(() => true, () => false)) {
    assert(performance.now() < deadline, "the file is still there");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});

/** Starts a process that imports modules of baler and runs code. */
function victim(code: string, env: Record<string, string>): Deno.ChildProcess {
  const root = new URL("../../", import.meta.url).href;
  return new Deno.Command(Deno.execPath(), {
    args: ["eval", `const root = ${JSON.stringify(root)};\n${code}`],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** Resolves when the process has printed this line. */
async function printed(child: Deno.ChildProcess, line: string): Promise<void> {
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.split("\n").includes(line)) {
    const { done, value } = await reader.read();
    assert(!done, `it ended before it printed ${line}: ${text}`);
    text += value;
  }
  await reader.cancel();
}

const PROVISION = `
const { provisioned } = await import(root + "tests/support/component_runner.ts");
const { RecordingUi } = await import(root + "tests/support/recording_ui.ts");
const ui = new RecordingUi();
ui.message = (line) => console.log(line);
async function run(module, config) {
  const { default: Component } = await import(root + "plugin/bundled/provisioners/" + module);
  await provisioned(new Component(), {
    dir: Deno.env.get("REMOTE"), config: { inline: ["echo up", "sleep 1000"], ...config }, ui,
  });
}
`;

const POST_PROCESS = `
const { processed } = await import(root + "tests/support/post_processor_program.ts");
const { RecordingUi } = await import(root + "tests/support/recording_ui.ts");
const ui = new RecordingUi();
const dir = Deno.env.get("REMOTE");
await Deno.writeFile(dir + "/in", new Uint8Array(0));
await Deno.truncate(dir + "/in", 2 ** 33);
ui.onProgress = () => console.log("up");
async function run(module, config) {
  const { default: Component } = await import(root + "plugin/bundled/post_processors/" + module);
  await processed(new Component(), { dir, files: ["in"], config, ui });
}
`;

const DEATHS: [name: string, code: string, left: string[]][] = [
  ["shell", PROVISION + `await run("shell.ts", { remote_folder: "." })`, []],
  [
    "shell with use_env_var_file",
    PROVISION +
    `await run("shell.ts", { remote_folder: ".", use_env_var_file: true })`,
    [],
  ],
  [
    "shell with remote_path",
    PROVISION + `await run("shell.ts", { remote_path: "./it's there.sh" })`,
    [],
  ],
  ["shell-local", PROVISION + `await run("shell_local.ts", {})`, []],
  [
    "compress to a zip archive",
    POST_PROCESS + `await run("compress.ts", { output: "it's\\n.zip" })`,
    ["in"],
  ],
  [
    "compress to a tar archive",
    POST_PROCESS + `await run("compress.ts", { output: "a.tar.lz4" })`,
    ["in"],
  ],
  [
    "the builder file",
    POST_PROCESS + `
    const { prepared } = await import(root + "tests/support/component_runner.ts");
    const { buildContext } = await import(root + "tests/support/recording_ui.ts");
    const { default: FileBuilder } = await import(root + "plugin/bundled/builders/file.ts");
    const builder = new FileBuilder();
    await prepared(builder, { source: "in", target: "out" }, buildContext(dir));
    await builder.run({ ui, hook: { run() {} }, signal: new AbortController().signal });`,
    ["in"],
  ],
  [
    "manifest",
    `await Deno.writeTextFile(Deno.env.get("REMOTE") + "/m.json", "");
    const { OutputFile } = await import(root + "plugin/bundled/shared/output_file.ts");
    const { guardFile } = await import(root + "plugin/process/cleanup_guard.ts");
    await guardFile(Deno.env.get("REMOTE") + "/m.json", "empty");
    const output = await OutputFile.open(Deno.env.get("REMOTE") + "/m.json");
    await output.write(new Uint8Array(10));
    console.log("up");
    await new Promise((resolve) => setTimeout(resolve, 1e6));`,
    [],
  ],
];

for (const [name, code, left] of DEATHS) {
  for (const signal of ["SIGKILL", "SIGHUP"] as const) {
    Deno.test(`${name} leaves no temporary file after ${signal}`, async () => {
      await using dir = await TemporaryDirectory.make({
        "tmp/x": "",
        "remote/x": "",
      });
      const [tmp, remote] = [join(dir.path, "tmp"), join(dir.path, "remote")];
      await Deno.remove(join(tmp, "x"));
      await Deno.remove(join(remote, "x"));
      const child = victim(code, { TMPDIR: tmp, REMOTE: remote });
      await printed(child, "up");
      child.kill(signal);
      await child.status;
      await becomes(tmp, []);
      await becomes(remote, left);
    });
  }
}

Deno.test("the guard exits with the process that it guards", async () => {
  const child = victim(
    `const { guardFile } = await import(root + "plugin/process/cleanup_guard.ts");
    await guardFile("/nowhere/x");
    console.log("up");
    await new Promise((resolve) => setTimeout(resolve, 1e6));`,
    {},
  );
  await printed(child, "up");
  const { stdout } = await new Deno.Command("ps", {
    args: ["-A", "-o", "pid=,ppid="],
  }).output();
  const [guard] = new TextDecoder().decode(stdout).split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .find(([, parent]) => parent === child.pid)!;
  child.kill("SIGKILL");
  await child.status;
  const deadline = performance.now() + HANG_LIMIT_MS;
  while (await isRunning(guard!)) {
    assert(performance.now() < deadline, "the guard is still running");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

Deno.test("OutputFile appears when it is whole, with the mode of what it replaces", async () => {
  await using dir = await TemporaryDirectory.make({ "old": "old content" });
  const path = join(dir.path, "old");
  await Deno.chmod(path, 0o640);
  await Deno.symlink("old", join(dir.path, "link"));
  {
    await using file = await OutputFile.open(join(dir.path, "link"));
    await file.write(new TextEncoder().encode("half"));
    assertEquals(await Deno.readTextFile(path), "old content");
  }
  assertEquals(await names(dir.path), ["link", "old"]);
  {
    await using file = await OutputFile.open(join(dir.path, "link"));
    await file.write(new TextEncoder().encode("new"));
    await file.commit();
  }
  assertEquals(await Deno.readTextFile(path), "new");
  assertEquals((await Deno.stat(path)).mode! & 0o777, 0o640);
  assert((await Deno.lstat(join(dir.path, "link"))).isSymlink);
  assertEquals(await names(dir.path), ["link", "old"]);
});

Deno.test("manifest does not follow a symlink that was planted for its partial file", async () => {
  await using dir = await TemporaryDirectory.make({ "victim": "precious" });
  await Deno.symlink("victim", join(dir.path, "packer-manifest.json.partial"));
  await processed(new Manifest(), { dir: dir.path });
  assertEquals(await Deno.readTextFile(join(dir.path, "victim")), "precious");
  assert((await Deno.lstat(join(dir.path, "packer-manifest.json"))).isFile);
});
