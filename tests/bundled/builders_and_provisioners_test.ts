// The bundled builders, provisioners and shell-local do what Packer's do: the
// same steps, texts and refusals.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import FileBuilder from "../../plugin/bundled/builders/file.ts";
import NullBuilder from "../../plugin/bundled/builders/null.ts";
import Breakpoint from "../../plugin/bundled/provisioners/breakpoint.ts";
import FileProvisioner from "../../plugin/bundled/provisioners/file.ts";
import Shell from "../../plugin/bundled/provisioners/shell.ts";
import ShellLocal from "../../plugin/bundled/provisioners/shell_local.ts";
import Sleep from "../../plugin/bundled/provisioners/sleep.ts";
import ShellLocalPostProcessor from "../../plugin/bundled/post_processors/shell_local.ts";
import { LocalCommunicator } from "../../plugin/builder/communicators/local.ts";
import { NoneCommunicator } from "../../plugin/builder/communicators/none.ts";
import type { Communicator } from "../../plugin/contract/communicator.ts";
import { ConfigError } from "../../plugin/contract/config_error.ts";
import type { HookOptions } from "../../plugin/contract/hook.ts";
import { decodeConfig } from "../../plugin/sdk/decode_config.ts";
import { prepared, provisioned } from "../support/component_runner.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { buildContext, RecordingUi } from "../support/recording_ui.ts";
import { missing, skippable } from "../support/programs.ts";

const never = new AbortController().signal;
const noHook = { run() {} };

Deno.test("builder file writes its content, for its owner alone", async () => {
  await using dir = await TemporaryDirectory.make();
  const builder = new FileBuilder();
  const config = { target: "new/out.txt", content: "hi" };
  await prepared(builder, config, buildContext(dir.path));
  const artifact = await builder.run({
    ui: new RecordingUi(),
    hook: noHook,
    signal: never,
  });
  const path = join(dir.path, "new/out.txt");
  assertEquals(await Deno.readTextFile(path), "hi");
  assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
  assertEquals(
    [artifact.builderId, artifact.id, artifact.toString()],
    ["packer.file", "File", "Stored file: new/out.txt"],
  );
  await artifact.destroy();
  await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
});

Deno.test("builder file copies its source", async () => {
  await using dir = await TemporaryDirectory.make({
    "in": "content",
    "out": "old and longer",
  });
  const ui = new RecordingUi();
  const builder = new FileBuilder();
  const config = { target: "out", source: "in" };
  assertEquals(await prepared(builder, config, buildContext(dir.path)), {});
  await builder.run({ ui, hook: noHook, signal: never });
  assertEquals(await Deno.readTextFile(join(dir.path, "out")), "content");
  assertEquals(ui.lines, ["say: Copying in to out", "say: Copied 7 bytes"]);
});

Deno.test("builder file takes its file away when the build fails, but not what it did not make", async () => {
  await using dir = await TemporaryDirectory.make({
    "in": "x",
    "folder/x": "",
  });
  const run = async (config: Record<string, string>, hook = noHook) => {
    const builder = new FileBuilder();
    await prepared(builder, config, buildContext(dir.path));
    await builder.run({ ui: new RecordingUi(), hook, signal: never });
  };
  const failing = {
    run() {
      throw new Error("provisioner failed");
    },
  };
  await assertRejects(
    () => run({ target: "out", content: "x" }, failing),
    Error,
    "provisioner failed",
  );
  await assertRejects(() => Deno.stat(join(dir.path, "out")));
  await assertRejects(
    () => run({ target: "out", source: "missing" }),
    Error,
    "open missing: no such file or directory",
  );
  await Deno.mkdir(join(dir.path, "empty"));
  await assertRejects(
    () => run({ target: "empty", content: "x" }),
    Error,
    "open empty: is a directory",
  );
  assert((await Deno.stat(join(dir.path, "empty"))).isDirectory);
  await assertRejects(
    () => run({ target: "in/out", content: "x" }),
    Error,
    "mkdir in: ",
  );
});

Deno.test("builder file refuses what Packer refuses, and warns of what it warns of", async () => {
  const build = buildContext("/");
  await assertProblems(new FileBuilder(), {
    config: { content: "x", source: "y" },
    problems: ["target required", "Cannot specify source file AND content"],
  });
  await assertProblems(new FileBuilder(), {
    config: { target: "x", source: "./x" },
    problems: ['"source" and "target" are the same file: x'],
  });
  assertEquals(await prepared(new FileBuilder(), { target: "x" }, build), {
    warnings: [
      "Both source file and contents are blank; target will have no content",
    ],
  });
});

Deno.test("builder null gives its provisioners this machine, or none", async () => {
  await using dir = await TemporaryDirectory.make();
  for (const communicator of ["local", "none"]) {
    const given: HookOptions[] = [];
    const builder = new NullBuilder();
    await prepared(builder, { communicator }, buildContext(dir.path));
    const artifact = await builder.run({
      ui: new RecordingUi(),
      hook: { run: (options) => void given.push(options) },
      signal: never,
    });
    assertEquals(given.length, 1);
    assertEquals(given[0]!.name, "provision");
    assertEquals(given[0]!.data?.ID, "Null");
    assertEquals(
      given[0]!.communicator instanceof
        (communicator === "local" ? LocalCommunicator : NoneCommunicator),
      true,
    );
    assertEquals(
      [artifact.builderId, artifact.id, artifact.toString()],
      [
        "fnoeding.null",
        "Null",
        "Did not export anything. This is the null builder",
      ],
    );
  }
});

Deno.test("builder null rejects unknown communicators, and lists the known ones", async () => {
  await assertProblems(new NullBuilder(), {
    config: { communicator: "carrier-pigeon" },
    problems: [
      'communicator type carrier-pigeon is invalid; set "communicator" to "ssh", ' +
      'to "none" (there is no machine) or to "local" (provisioners work on this machine)',
    ],
  });
  await assertProblems(new NullBuilder(), {
    config: {},
    problems: [
      "an ssh_username must be specified",
      "a Host must be specified: set ssh_host",
      "one authentication method must be specified: set ssh_private_key_file, ssh_password or ssh_agent_auth",
    ],
  });
  await assertProblems(new NullBuilder(), {
    config: { communicator: "winrm" },
    problems: ['the communicator "winrm" is not in this baler'],
  });
  await assertProblems(new NullBuilder(), {
    config: { communicator: "none", foo: 1 },
    problems: ['unknown key "foo"'],
  });
  const result = await prepared(
    new NullBuilder(),
    { communicator: "none", ssh_host: "x" },
    buildContext("/"),
  );
  assertEquals(result!.warnings, [
    '"ssh_host" does nothing with the communicator "none"',
  ]);
});

Deno.test("builder null runs the error-cleanup provisioner when a provisioner fails, according to -on-error", async () => {
  const run = async (
    onError: "cleanup" | "abort" | "ask",
    answers: string[],
  ) => {
    const names: string[] = [];
    const ui = new RecordingUi(answers);
    const builder = new NullBuilder();
    const build = buildContext("/", { onError });
    await prepared(builder, { communicator: "none" }, build);
    await assertRejects(
      async () =>
        await builder.run({
          ui,
          hook: {
            run({ name }) {
              names.push(name);
              if (name === "provision") throw new Error("it broke");
            },
          },
          signal: never,
        }),
      Error,
      "it broke",
    );
    return { names, lines: ui.lines };
  };
  const cleanup = await run("cleanup", []);
  assertEquals(cleanup.names, ["provision", "cleanup-provision"]);
  assertEquals(cleanup.lines, [
    "say: Provisioning step had errors: Running the cleanup provisioner, if present...",
  ]);
  assertEquals((await run("abort", [])).names, ["provision"]);
  assertEquals((await run("ask", ["r", "?", "a"])).names, [
    "provision",
    "provision",
  ]);
  assertEquals((await run("ask", ["c"])).names, cleanup.names);
});

Deno.test("shell runs inline lines with the build's variables, and takes the script away", async () => {
  await using dir = await TemporaryDirectory.make();
  const lines = await provisioned(new Shell(), {
    dir: dir.path,
    config: { remote_folder: dir.path },
    rendered: {
      inline: [
        'echo "$PACKER_BUILD_NAME $PACKER_BUILDER_TYPE $QUOTE [$PACKER_HTTP_ADDR]"',
        "echo oops >&2",
        "echo {{build `ID`}} $GIVEN",
        "ls",
      ],
      environment_vars: ['QUOTE=it\'s = "$HOME"', "GIVEN={{.ID}}"],
    },
    data: {
      ID: "i-7",
      PackerHTTPAddr: "ERR_HTTP_ADDR_NOT_IMPLEMENTED_BY_BUILDER",
    },
  });
  assertMatch(lines[0]!, /^say: Provisioning with shell script: .*baler-shell/);
  const script = lines.find((line) => /script_[-\da-f]{36}\.sh$/.test(line));
  assert(script, lines.join("\n"));
  assertEquals(
    lines.filter((line) => line.startsWith("message: ") && line !== script),
    [
      'message: vm null it\'s = "$HOME" []',
      "message: i-7 i-7",
    ],
  );
  assert(lines.includes("error: oops"));
  assertEquals(await names(dir.path), []);
  await assertRejects(() => Deno.stat(lines[0]!.split(": ")[2]!));
});

Deno.test("shell runs scripts in order, with Unix line ends unless binary", async () => {
  await using dir = await TemporaryDirectory.make({
    "a.sh": '#!/bin/sh\r\necho "a $X"\r\n',
    "b.sh": "#!/bin/sh\necho b | od -An -c | tr -d ' '\r\n",
  });
  const run = (config: Record<string, unknown>) =>
    provisioned(new Shell(), {
      dir: dir.path,
      config: { remote_folder: dir.path, ...config },
    });
  assertEquals(
    await run({ scripts: ["a.sh", "b.sh"], environment_vars: "X=1" }),
    [
      "say: Provisioning with shell script: a.sh",
      "message: a 1",
      "say: Provisioning with shell script: b.sh",
      "message: b\\n",
    ],
  );
  await assertRejects(
    () => run({ script: "a.sh", binary: true }),
    Error,
    "Script exited with non-zero exit status: ",
  );
  assertEquals(await names(dir.path), ["a.sh", "b.sh"]);
});

Deno.test("shell runs execute_command with Path, Vars and EnvVarFile", async () => {
  await using dir = await TemporaryDirectory.make();
  const run = (config: Record<string, unknown>) =>
    provisioned(new Shell(), {
      dir: dir.path,
      config: {
        inline: ['echo "ran $A"'],
        environment_vars: ["A=b"],
        remote_path: join(dir.path, "there.sh"),
        remote_folder: dir.path,
        ...config,
      },
    });
  const custom = await run({
    execute_command:
      "echo '{{.Path}}' \"{{.Vars}}\"; env {{.Vars}} sh {{.Path}}",
  });
  assertEquals(custom.slice(1), [
    `message: ${dir.path}/there.sh A='b' PACKER_BUILDER_TYPE='null' PACKER_BUILD_NAME='vm'`,
    "message: ran b",
  ]);
  const fromFile = await run({ use_env_var_file: true });
  assertEquals(fromFile.slice(1), ["message: ran b"]);
  assertEquals(await names(dir.path), []);
  await run({ skip_clean: true });
  assertEquals(await names(dir.path), ["there.sh"]);
});

Deno.test("shell accepts only valid_exit_codes", async () => {
  await using dir = await TemporaryDirectory.make();
  const run = (config: Record<string, unknown>) =>
    provisioned(new Shell(), {
      dir: dir.path,
      config: { inline: ["exit 5"], remote_folder: dir.path, ...config },
    });
  await run({ valid_exit_codes: [0, "5"] });
  await assertRejects(
    () => run({}),
    Error,
    "Script exited with non-zero exit status: 5. Allowed exit codes are: [0]",
  );
  await assertRejects(
    () => run({ valid_exit_codes: [1, 2] }),
    Error,
    "Allowed exit codes are: [1 2]",
  );
  assertEquals(await names(dir.path), []);
});

Deno.test("shell takes a lost connection for a failure unless it is expected", async () => {
  await using dir = await TemporaryDirectory.make();
  await using local = new LocalCommunicator({ workingDirectory: dir.path });
  const losing = changed(local, {
    async start(command) {
      const running = await local.start(command);
      if (!command.stdout) return running;
      return {
        async wait() {
          await running.wait();
          throw new Error("connection reset");
        },
      };
    },
  });
  const run = (config: Record<string, unknown>) =>
    provisioned(new Shell(), {
      dir: dir.path,
      config: { inline: ["true"], remote_folder: dir.path, ...config },
      communicator: losing,
    });
  await assertRejects(() => run({}), Error, "Script disconnected unexpectedly");
  await run({ expect_disconnect: true });
  await run({ valid_exit_codes: [0, 2300218] });
});

Deno.test("shell tries again when a script cannot be started, not when it cannot ever", async () => {
  await using dir = await TemporaryDirectory.make();
  await using local = new LocalCommunicator({ workingDirectory: dir.path });
  let tries = 0;
  const restarting = changed(local, {
    async upload(upload) {
      if (++tries === 1) throw new Error("connection refused");
      await local.upload(upload);
    },
  });
  const config = { inline: ["echo up"], remote_folder: dir.path };
  const lines = await provisioned(new Shell(), {
    dir: dir.path,
    config,
    communicator: restarting,
  });
  // The wait is shown, with its reason.
  assertEquals(lines.slice(1), [
    "error: Error uploading script: connection refused; trying again for up to 5m0s",
    "message: up",
  ]);
  assertEquals(tries, 2);
  await assertRejects(
    () =>
      provisioned(new Shell(), {
        dir: dir.path,
        config,
        communicator: new NoneCommunicator(),
      }),
    Error,
    "Error uploading script: Upload is not implemented when communicator = 'none'",
  );
});

Deno.test("shell stops when aborted, and takes the script away", async () => {
  await using dir = await TemporaryDirectory.make();
  const controller = new AbortController();
  const ui = new RecordingUi();
  ui.message = () => controller.abort(new Error("cancelled"));
  await assertRejects(
    () =>
      provisioned(new Shell(), {
        dir: dir.path,
        config: { inline: ["echo up", "sleep 1000"], remote_folder: dir.path },
        ui,
        signal: controller.signal,
      }),
    Error,
    "cancelled",
  );
  assertEquals(await names(dir.path), []);
});

Deno.test("shell pauses when all is done, and stops pausing when aborted", async () => {
  await using dir = await TemporaryDirectory.make();
  const controller = new AbortController();
  const ui = new RecordingUi();
  const say = ui.say.bind(ui);
  ui.say = (line) => {
    say(line);
    if (line.startsWith("Pausing")) controller.abort(new Error("cancelled"));
  };
  await assertRejects(
    () =>
      provisioned(new Shell(), {
        dir: dir.path,
        config: {
          inline: ["true"],
          remote_folder: dir.path,
          pause_after: "1h30m1.5s",
        },
        ui,
        signal: controller.signal,
      }),
    Error,
    "cancelled",
  );
  assertEquals(ui.lines[1], "say: Pausing 1h30m1.5s after this provisioner...");
});

Deno.test("shell refuses what Packer refuses", async () => {
  await assertProblems(new Shell(), {
    config: {
      inline: ["a"],
      script: "/nope",
      scripts: ["/nope2"],
      environment_vars: ["=a", "b"],
    },
    problems: [
      "Only one of script or scripts can be specified.",
      "Only a script file or an inline script can be specified, not both.",
      "Bad script '/nope': stat /nope: no such file or directory",
      "Environment variable not in format 'key=value': =a",
      "Environment variable not in format 'key=value': b",
    ],
  });
  await assertProblems(new Shell(), {
    config: {},
    problems: ["Either a script file or inline script must be specified."],
  });
  await assertProblems(new Shell(), {
    config: { inline: ["a"], elevated_user: "x", valid_exit_codes: ["x"] },
    problems: ['unknown key "elevated_user"'],
  });
});

Deno.test("shell-local runs command, inline and scripts on this machine", async () => {
  await using dir = await TemporaryDirectory.make({
    "s.sh": 'echo "script $FOO"; exit 4\n',
  });
  await Deno.chmod(join(dir.path, "s.sh"), 0o755);
  const run = (
    config: Record<string, unknown>,
    rendered: Record<string, unknown> = {},
  ) => provisioned(new ShellLocal(), { dir: dir.path, config, rendered });
  const inline = await run({ tempfile_extension: ".ksh" }, {
    inline: ["echo {{build `ID`}} $FOO $0", "echo err >&2", "pwd"],
    environment_vars: ["FOO={{.ID}}'s"],
  });
  const [, path] = /^say: Running local shell script: (.*\.ksh)$/
    .exec(inline[0]!)!;
  assertEquals(inline.filter((line) => line.startsWith("message: ")), [
    `message: i-1 i-1's ${path}`,
    `message: ${dir.path}`,
  ]);
  assert(inline.includes("error: err"));
  await assertRejects(() => Deno.stat(path!), Deno.errors.NotFound);
  assertEquals(
    await run({
      script: "s.sh",
      valid_exit_codes: [4],
      environment_vars: "FOO=x",
    }),
    ["say: Running local shell script: s.sh", "message: script x"],
  );
  await assertRejects(
    () => run({ command: "exit 3" }),
    Error,
    "Script exited with non-zero exit status: 3. Allowed exit codes are: [0]",
  );
  await assertRejects(
    () => run({ command: "true", execute_command: ["/nope", "{{.Script}}"] }),
    Error,
    "cannot start /nope",
  );
  assertEquals(
    await run({ command: "a", only_on: ["windows"] }),
    ["say: Skipping shell-local due to runtime OS"],
  );
  assertEquals(
    (await run({
      script: "s.sh",
      execute_command: ["/bin/echo", "{{.Vars}}{{.Script}} {{.Command}}"],
    }))[1],
    `message: PACKER_BUILDER_TYPE='null' PACKER_BUILD_NAME='vm' ${dir.path}/s.sh ${dir.path}/s.sh`,
  );
});

Deno.test("shell-local refuses what Packer refuses", async () => {
  const tooMany = "You may only specify one of the following options: " +
    "Command, Inline, Script or Scripts. Please consolidate these options in your config.";
  await assertProblems(new ShellLocal(), {
    config: { inline: [] },
    problems: [
      "Command, Inline, Script and Scripts options cannot all be empty.",
    ],
  });
  await assertProblems(new ShellLocal(), {
    config: { command: "a", script: "/nope", environment_vars: ["a"] },
    problems: [
      "Bad script '/nope': stat /nope: no such file or directory",
      tooMany,
      "Environment variable not in format 'key=value': a",
    ],
  });
  await assertProblems(new ShellLocal(), {
    config: { inline: ["a"], only_on: ["amiga"], use_linux_pathing: true },
    problems: [
      "Command and Inline cannot be used with the Windows Linux Subsystem.",
      "Invalid OS specified in only_on: 'amiga'\nSupported OS names: " +
      "darwin, freebsd, linux, openbsd, solaris, windows",
    ],
  });
  await assertProblems(new ShellLocal(), {
    config: { inline: ["a"], binary: true },
    problems: ['unknown key "binary"'],
  });
});

Deno.test("shell-local leaves no file and no process when it is aborted", async () => {
  await using dir = await TemporaryDirectory.make();
  const controller = new AbortController();
  const ui = new RecordingUi();
  ui.message = () => controller.abort(new Error("cancelled"));
  await assertRejects(
    () =>
      provisioned(new ShellLocal(), {
        dir: dir.path,
        config: { inline: ["echo up", "sleep 1000"] },
        ui,
        signal: controller.signal,
      }),
    Error,
    "cancelled",
  );
  const script = ui.lines[0]!.slice("say: Running local shell script: ".length);
  await assertRejects(() => Deno.stat(script), Deno.errors.NotFound);
});

Deno.test("shell-local as a post-processor passes the artifact on, which stays", async () => {
  await using dir = await TemporaryDirectory.make();
  const ui = new RecordingUi();
  const postProcessor = new ShellLocalPostProcessor();
  const build = buildContext(dir.path);
  await postProcessor.configure({
    config: await decodeConfig(
      { inline: ["echo $0"], execute_command: "echo one {{.Script}}" },
      postProcessor.options,
      build,
    ),
    build,
  });
  const artifact = {
    builderId: "x",
    id: "i",
    files: [],
    destroy() {},
    toString: () => "x",
  };
  const result = await postProcessor.postProcess({
    ui,
    artifact,
    data: {},
    signal: never,
  });
  assertEquals(result, { artifact, keep: true, mustKeep: true });
  assertEquals(
    ui.lines[1],
    ui.lines[0]!.replace("say: Running local shell script:", "message: one"),
  );
});

Deno.test("file uploads files and directories, with their modes, and handles a trailing slash", async () => {
  await using dir = await TemporaryDirectory.make({
    "a.txt": "a",
    "d/b.txt": "b",
  });
  await Deno.chmod(join(dir.path, "a.txt"), 0o751);
  await Deno.mkdir(join(dir.path, "to"));
  const lines = await provisioned(new FileProvisioner(), {
    dir: dir.path,
    config: { source: "d", sources: ["a.txt", "d/"], destination: "to/" },
  });
  assertEquals(lines, [
    "say: Uploading a.txt => to/",
    "say: Uploading d/ => to/",
    "say: Uploading d => to/",
  ]);
  assertEquals(await names(join(dir.path, "to")), ["a.txt", "b.txt", "d"]);
  const { mode } = await Deno.stat(join(dir.path, "to/a.txt"));
  assertEquals(mode! & 0o777, 0o751);
  await provisioned(new FileProvisioner(), {
    dir: dir.path,
    config: { source: "a.txt" },
    rendered: { destination: "{{.ID}}.txt" },
  });
  assertEquals(await Deno.readTextFile(join(dir.path, "i-1.txt")), "a");
});

Deno.test("file downloads files and directories, and creates their destination directories", async () => {
  await using dir = await TemporaryDirectory.make({
    "a.txt": "a",
    "d/b.txt": "b",
  });
  const run = (source: string, destination: string) =>
    provisioned(new FileProvisioner(), {
      dir: dir.path,
      config: { source, destination, direction: "download" },
    });
  assertEquals(await run("a.txt", "x/y/"), ["say: Downloading a.txt => x/y/"]);
  await run("a.txt", "x/z.txt");
  await run("d/", "x/d/");
  await run("*.txt", "all/");
  const read = (path: string) => Deno.readTextFile(join(dir.path, path));
  assertEquals(
    [
      await read("x/y/a.txt"),
      await read("x/z.txt"),
      await read("x/d/b.txt"),
      await read("all/a.txt"),
    ],
    ["a", "a", "b", "a"],
  );
});

Deno.test("file reports what failed, and leaves no partial file", async () => {
  await using dir = await TemporaryDirectory.make({ "a.txt": "a" });
  const run = (config: Record<string, unknown>, ui: RecordingUi) =>
    provisioned(new FileProvisioner(), { dir: dir.path, config, ui });
  const ui = new RecordingUi();
  await assertRejects(
    () => run({ source: "a.txt", destination: "no/where" }, ui),
    Error,
    "open no/where: no such file or directory",
  );
  assertEquals(
    ui.lines[1],
    "error: Upload failed: open no/where: no such file or directory",
  );
  await assertRejects(
    () =>
      run(
        { source: "none", destination: "got", direction: "download" },
        new RecordingUi(),
      ),
    Error,
    "open none: no such file or directory",
  );
  assertEquals(await names(dir.path), ["a.txt"]);
  await assertRejects(
    () =>
      run(
        { source: "later", destination: "got", generated: true },
        new RecordingUi(),
      ),
    Error,
    "stat later: no such file or directory",
  );
});

Deno.test("file refuses what Packer refuses", async () => {
  await assertProblems(new FileProvisioner(), {
    config: {},
    problems: ["Source must be specified.", "Destination must be specified."],
  });
  await assertProblems(new FileProvisioner(), {
    config: { source: "/nope", destination: "/x", direction: "up" },
    problems: ["Direction must be one of: download, upload."],
  });
  await assertProblems(new FileProvisioner(), {
    config: { source: "/nope", destination: "/x" },
    problems: ["Bad source '/nope': stat /nope: no such file or directory"],
  });
});

Deno.test("breakpoint waits for an answer, unless it is disabled or aborted", async () => {
  const run = (
    config: Record<string, unknown>,
    ui: RecordingUi,
    signal = never,
  ) => provisioned(new Breakpoint(), { dir: "/", config, ui, signal });
  assertEquals(await run({ note: "n" }, new RecordingUi([""])), [
    'say: Pausing at breakpoint provisioner with note "n".',
    "ask: Press enter to continue.",
  ]);
  assertEquals(await run({ disable: "true", note: "n" }, new RecordingUi()), [
    'say: Breakpoint provisioner with note "n" disabled; continuing...',
  ]);
  assertEquals(await run({ disable: true }, new RecordingUi()), [
    "say: Breakpoint provisioner disabled; continuing...",
  ]);
  await assertRejects(
    () => run({}, new RecordingUi()),
    Error,
    "Error asking for input: no available tty",
  );
  const controller = new AbortController();
  const waiting = new RecordingUi([new Promise<string>(() => {})]);
  const ask = waiting.ask.bind(waiting);
  waiting.ask = (query) => {
    queueMicrotask(() => controller.abort(new Error("cancelled")));
    return ask(query);
  };
  await assertRejects(
    () => run({}, waiting, controller.signal),
    Error,
    "cancelled",
  );
});

Deno.test("sleep waits for its duration, unless it is aborted", async () => {
  const run = (duration: string, signal = never) =>
    provisioned(new Sleep(), {
      dir: "/",
      config: { duration },
      ui: new RecordingUi(),
      signal,
    });
  const began = performance.now();
  assertEquals(await run("60ms"), []);
  // A timer may end a moment early.
  assert(performance.now() - began > 55);
  // Longer than a timer of the system can be set for.
  await assertRejects(
    () => run("1000h", AbortSignal.timeout(50)),
    DOMException,
    "aborted due to timeout",
  );
});

Deno.test({
  ...skippable(
    "shell-local and the file builder show what Packer 1.6.6 shows",
    missing("packer"),
  ),
  async fn() {
    await using dir = await TemporaryDirectory.make({ "in.txt": "seven b" });
    const provisioner = {
      inline: [
        'echo $PACKER_BUILD_NAME $PACKER_BUILDER_TYPE "$Q"',
        'printf "10%%\\r100%%  \\n\\n last"',
      ],
      environment_vars: ['Q=it\'s "q" = `x`'],
    };
    const theirs = await packer(dir.path, {
      builders: [{
        type: "file",
        name: "vm",
        source: "in.txt",
        target: "o",
      }],
      provisioners: [{ type: "shell-local", ...provisioner }],
    });
    const builder = new FileBuilder();
    const build = buildContext(dir.path, { type: "file" });
    const ui = new RecordingUi();
    await prepared(builder, { source: "in.txt", target: "o" }, build);
    await builder.run({
      ui,
      signal: never,
      hook: {
        async run() {
          const shell = new ShellLocal();
          await prepared(shell, provisioner, build);
          await shell.provision({ ui, data: {}, signal: never });
        },
      },
    });
    assertEquals(
      ui.lines.map((line) =>
        line.replace(/^say: /, "==> vm: ").replace(
          /^message: /,
          "    vm: ",
        ).replace(/baler-shell[-\w]+/, "SCRIPT").trimEnd()
      ),
      theirs.filter((line) => /^(==>| {3}) vm:/.test(line)).map((line) =>
        line.replace(/packer-shell\w+/, "SCRIPT").trimEnd()
      ),
    );
  },
});

async function packer(dir: string, template: unknown): Promise<string[]> {
  const path = join(dir, "packer.json");
  await Deno.writeTextFile(path, JSON.stringify(template));
  const { stdout } = await new Deno.Command("packer", {
    args: ["build", "-color=false", path],
    cwd: dir,
    env: { CHECKPOINT_DISABLE: "1" },
  }).output();
  return new TextDecoder().decode(stdout).split("\n");
}

/** Another machine with some of its ways changed. */
function changed(
  communicator: Communicator,
  changes: Partial<Communicator>,
): Communicator {
  return {
    start: (command) => communicator.start(command),
    upload: (upload) => communicator.upload(upload),
    uploadDir: (transfer) => communicator.uploadDir(transfer),
    download: (download) => communicator.download(download),
    downloadDir: (transfer) => communicator.downloadDir(transfer),
    ...changes,
  };
}

async function names(directory: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(directory));
  return entries.map((entry) => entry.name).sort();
}

/** Each problem begins with the text at its place. */
async function assertProblems(
  component: Parameters<typeof prepared>[0],
  { config, problems }: {
    config: Record<string, unknown>;
    problems: string[];
  },
): Promise<void> {
  const error = await assertRejects(
    () => prepared(component, config, buildContext("/")),
    ConfigError,
  );
  assertEquals(error.problems.length, problems.length, error.message);
  for (const [index, text] of problems.entries()) {
    const { message } = error.problems[index]!;
    assert(
      message.startsWith(text),
      `${message}\ndoes not begin with\n${text}`,
    );
  }
}
