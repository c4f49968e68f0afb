// The provisioners of Windows machines send what Packer's send. No Windows is needed: the machine is one that
// notes what it gets. tests/packer/windows_provisioners_test.ts compares it with what Packer's own send.

import { assert, assertEquals, assertRejects } from "@std/assert";
import PowershellProvisioner from "../../plugin/bundled/provisioners/powershell.ts";
import WindowsRestartProvisioner from "../../plugin/bundled/provisioners/windows_restart.ts";
import WindowsShellProvisioner from "../../plugin/bundled/provisioners/windows_shell.ts";
import { encodedPowerShellCommand } from "../../plugin/bundled/shell/powershell_text.ts";
import { prepared, provisioned } from "../support/component_runner.ts";
import {
  type Answer,
  RecordingCommunicator,
  withoutRandomness,
} from "../support/recording_communicator.ts";
import { buildContext, RecordingUi } from "../support/recording_ui.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

const EXECUTE = "powershell -executionpolicy bypass " +
  '"& { if (Test-Path variable:global:ProgressPreference)' +
  "{set-variable -name variable:global:ProgressPreference -value 'SilentlyContinue'};";

Deno.test("powershell uploads variables and script, runs it, and deletes both", async () => {
  await using dir = await TemporaryDirectory.make();
  const machine = new RecordingCommunicator(() => ({ stdout: "hello\r\n" }));
  const lines = await provisioned(new PowershellProvisioner(), {
    dir: dir.path,
    config: { inline: ["Write-Host a", "exit 0"], environment_vars: ["A=$b'"] },
    communicator: machine,
  });
  const [vars, script, run, cleanup, clean] = withoutRandomness(machine.sent);
  assertEquals(vars, {
    upload: "c:/Windows/Temp/packer-ps-env-vars-UUID1.ps1",
    content: '$env:A="`$b`\'"; ' +
      '$env:PACKER_BUILDER_TYPE="null"; $env:PACKER_BUILD_NAME="vm"; ',
  });
  assertEquals(script, {
    upload: "c:/Windows/Temp/script-UUID2.ps1",
    content: "Write-Host a\nexit 0\n",
    size: 20,
    mode: 0o700,
  });
  assertEquals(run, {
    command: EXECUTE +
      ". c:/Windows/Temp/packer-ps-env-vars-UUID1.ps1; " +
      "&'c:/Windows/Temp/script-UUID2.ps1'; exit $LastExitCode }\"",
  });
  const cleanupPath = "c:/Windows/Temp/packer-cleanup-UUID3.ps1";
  assertEquals(cleanup, {
    upload: cleanupPath,
    content: [
      "c:/Windows/Temp/packer-ps-env-vars-UUID1.ps1",
      "c:/Windows/Temp/script-UUID2.ps1",
      cleanupPath,
    ].map((path) => `if (Test-Path ${path}) {Remove-Item ${path}}\n`).join(""),
  });
  assertEquals(clean, {
    command: EXECUTE +
      ". c:/Windows/Temp/packer-ps-env-vars-UUID1.ps1; " +
      `&'${cleanupPath}'; exit $LastExitCode }"`,
  });
  assertEquals(machine.sent.length, 5);
  assertEquals(lines[0], "say: Provisioning with Powershell...");
  assert(lines[1]!.startsWith("say: Provisioning with powershell script: /"));
  assertEquals(lines.slice(2), ["message: hello", "message: hello"]);
});

Deno.test("powershell runs scripts as an elevated user by a scheduled task", async () => {
  await using dir = await TemporaryDirectory.make({ "a.ps1": "Get-Date\n" });
  const machine = new RecordingCommunicator();
  await provisioned(new PowershellProvisioner(), {
    dir: dir.path,
    config: {
      script: "a.ps1",
      elevated_user: "Administrator",
      elevated_execute_command: 'run <{{.Path}}> & "{{.Vars}}"',
      skip_clean: true,
    },
    rendered: { elevated_password: "{{.WinRMPassword}}" },
    data: { WinRMPassword: 'p$"`' },
    communicator: machine,
  });
  const [vars, elevated, script, run] = withoutRandomness(machine.sent);
  assertEquals(machine.sent.length, 4);
  assert("upload" in vars! && "upload" in elevated! && "upload" in script!);
  assertEquals(
    elevated.upload,
    "C:/Windows/Temp/packer-elevated-shell-UUID2.ps1",
  );
  assertEquals(run, {
    command: `powershell -executionpolicy bypass -file "${elevated.upload}"`,
  });
  const text = elevated.content;
  assert(text.includes('$password = "p`$`"``"'), text);
  assert(text.includes('$user = "Administrator"'), text);
  assert(
    text.includes(
      "<Arguments>/c run &lt;c:/Windows/Temp/script-UUID4.ps1&gt; &amp; " +
        "&#34;c:/Windows/Temp/packer-ps-env-vars-UUID1.ps1&#34; " +
        "&gt; %SYSTEMROOT%/Temp/packer-UUID3.out 2&gt;&amp;1</Arguments>",
    ),
    text,
  );
  assertEquals(script.content, "Get-Date\n");
});

Deno.test("powershell takes Packer's execution policies, debug modes and directories", async () => {
  await using dir = await TemporaryDirectory.make({
    "a.ps1": "a",
    "b.ps1": "b",
  });
  const machine = new RecordingCommunicator();
  await provisioned(new PowershellProvisioner(), {
    dir: dir.path,
    config: {
      scripts: ["a.ps1", "b.ps1"],
      execution_policy: "none",
      debug_mode: 2,
      remote_path: "c:\\scripts\\",
      remote_env_var_path: "c:\\vars.ps1",
      skip_clean: true,
    },
    communicator: machine,
  });
  const command = "& { if (Test-Path variable:global:ProgressPreference)" +
    "{set-variable -name variable:global:ProgressPreference -value 'SilentlyContinue'};" +
    "Set-PsDebug -Trace 2;. c:\\vars.ps1; &'c:\\scripts\\a.ps1'; exit $LastExitCode }";
  assertEquals(
    machine.sent.map((one) => "command" in one ? one.command : one.upload),
    [
      "c:\\vars.ps1",
      "c:\\scripts\\a.ps1",
      command,
      "c:\\vars.ps1",
      // The first script's name has completed the path.
      "c:\\scripts\\a.ps1",
      command,
    ],
  );
});

Deno.test("powershell fails when a script fails, unless its exit code is in valid_exit_codes", async () => {
  await using dir = await TemporaryDirectory.make();
  const run = (config: Record<string, unknown>) =>
    provisioned(new PowershellProvisioner(), {
      dir: dir.path,
      config: { inline: ["exit 3010"], skip_clean: true, ...config },
      communicator: new RecordingCommunicator(() => ({ status: 3010 })),
    });
  await run({ valid_exit_codes: [0, 3010] });
  await assertRejects(() => run({}), Error, "non-zero exit status: 3010");
});

Deno.test("powershell and windows-shell refuse what Packer refuses", async () => {
  const refused = async (
    provisioner: PowershellProvisioner | WindowsShellProvisioner,
    config: Record<string, unknown>,
    message: string,
  ) => {
    await assertRejects(
      () => prepared(provisioner, config, buildContext("/")),
      Error,
      message,
    );
  };
  for (const Class of [PowershellProvisioner, WindowsShellProvisioner]) {
    await refused(new Class(), {}, "Either a script file or inline script");
    await refused(
      new Class(),
      { script: "/etc/hostname", inline: ["x"] },
      "not both",
    );
    await refused(new Class(), { script: "/nowhere" }, "Bad script '/nowhere'");
    await refused(
      new Class(),
      { inline: ["x"], environment_vars: ["=a"] },
      "not in format 'key=value': =a",
    );
    await refused(
      new Class(),
      { inline: ["x"], execute_command: "{{.Path" },
      'invalid "execute_command"',
    );
  }
  const inline = ["x"];
  const powershell = new PowershellProvisioner();
  await refused(
    powershell,
    { inline, elevated_password: "x" },
    "Must supply an 'elevated_user'",
  );
  await refused(
    powershell,
    { inline, execution_policy: "some" },
    'Invalid execution policy "some"',
  );
  await refused(powershell, { inline, execution_policy: 8 }, "Invalid");
  await refused(powershell, { inline, debug_mode: 3 }, "3 is an invalid Trace");
});

Deno.test("windows-shell uploads a batch file and runs it with its variables", async () => {
  await using dir = await TemporaryDirectory.make();
  const machine = new RecordingCommunicator();
  await provisioned(new WindowsShellProvisioner(), {
    dir: dir.path,
    config: { inline: ["dir", "exit"], environment_vars: ["Z='1'", "A=2"] },
    communicator: machine,
    data: { PackerHTTPAddr: "10.0.2.2:8000", PackerHTTPIP: "ERR_HTTP_IP_NOT" },
  });
  assertEquals(machine.sent, [
    { upload: "c:/Windows/Temp/script.bat", content: "dir\nexit\n" },
    {
      command: 'set "A=2" && set "PACKER_BUILDER_TYPE=null" && ' +
        'set "PACKER_BUILD_NAME=vm" && ' +
        'set "PACKER_HTTP_ADDR=10.0.2.2:8000" && set "Z=\'1\'" && ' +
        '"c:/Windows/Temp/script.bat"',
    },
  ]);
});

Deno.test("windows-shell uploads and runs a script again when the machine could not be reached", async () => {
  await using dir = await TemporaryDirectory.make();
  const machine = new RecordingCommunicator((_, index) =>
    index === 0 ? new Error("connection refused") : {}
  );
  await provisioned(new WindowsShellProvisioner(), {
    dir: dir.path,
    config: { inline: ["dir"], remote_path: "x.bat", execute_command: "run" },
    communicator: machine,
  });
  const upload = { upload: "x.bat", content: "dir\n" };
  assertEquals(machine.sent, [
    upload,
    { command: "run" },
    upload,
    { command: "run" },
  ]);
});

const CHECK = encodedPowerShellCommand(
  'echo ("{0} restarted." -f [System.Net.Dns]::GetHostName())',
);

/** Answers as a Windows machine that has restarted. */
function restarted(command: string): Answer {
  return command === CHECK ? { stdout: "HOST restarted.\r\n" } : {};
}

Deno.test("windows-restart restarts the machine, waits until it goes down, and then until it is back", async () => {
  await using dir = await TemporaryDirectory.make();
  const machine = new RecordingCommunicator(restarted);
  const ui = new RecordingUi();
  await provisioned(new WindowsRestartProvisioner(), {
    dir: dir.path,
    config: {},
    communicator: machine,
    ui,
  });
  assertEquals(machine.sent, [
    { command: 'shutdown /r /f /t 0 /c "packer restart"' },
    { command: 'shutdown /r /f /t 60 /c "packer restart test"' },
    { command: "shutdown /a" },
    { command: CHECK },
  ]);
  assertEquals(ui.lines, [
    "say: Restarting Machine",
    "say: Waiting for machine to restart...",
    "message: HOST restarted.",
    "say: Machine successfully restarted, moving on",
  ]);
});

Deno.test("windows-restart waits for its own check and for the registry", async () => {
  await using dir = await TemporaryDirectory.make();
  const asked = new Map<string, number>();
  const machine = new RecordingCommunicator((command) => {
    const count = (asked.get(command) ?? 0) + 1;
    asked.set(command, count);
    if (command === "bye") return { status: 1115 };
    if (command.includes("restart test")) return { status: 1 };
    if (command.includes("EncodedCommand") && command !== CHECK) {
      return { stdout: count === 1 ? "True\r\n" : "False\r\n" };
    }
    return restarted(command);
  });
  await provisioned(new WindowsRestartProvisioner(), {
    dir: dir.path,
    config: {
      restart_command: "bye",
      restart_check_command: "are you there",
      check_registry: true,
      registry_keys: ["HKLM:X"],
    },
    communicator: machine,
  });
  const key = encodedPowerShellCommand('Test-Path "HKLM:X"');
  assertEquals(machine.sent.map((one) => "command" in one && one.command), [
    "bye",
    'shutdown /r /f /t 60 /c "packer restart test"',
    "are you there",
    CHECK,
    key,
    CHECK,
    key,
  ]);
});

Deno.test("windows-restart reports a failed command and a machine that does not return, and can be aborted", async () => {
  await using dir = await TemporaryDirectory.make();
  const run = (
    config: Record<string, unknown>,
    answer: (command: string) => Answer,
    signal?: AbortSignal,
    ui = new RecordingUi(),
  ) =>
    provisioned(new WindowsRestartProvisioner(), {
      dir: dir.path,
      config,
      communicator: new RecordingCommunicator(answer),
      ui,
      ...(signal === undefined ? {} : { signal }),
    });
  await assertRejects(
    () => run({}, () => ({ status: 5 })),
    Error,
    "Restart script exited with non-zero exit status: 5",
  );
  const ui = new RecordingUi();
  await assertRejects(
    () =>
      run({ restart_timeout: "20ms" }, () => ({ status: 0 }), undefined, ui),
    Error,
    "Timeout waiting for machine to restart.",
  );
  assertEquals(
    ui.lines.at(-1),
    "error: Timeout waiting for machine to restart.",
  );
  const controller = new AbortController();
  await assertRejects(
    () =>
      run({}, (command) => {
        if (command.includes("/a")) controller.abort(new Error("cancelled"));
        return {};
      }, controller.signal),
    Error,
    "cancelled",
  );
});
