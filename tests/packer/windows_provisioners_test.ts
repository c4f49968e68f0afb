// baler's provisioners for Windows send a machine what Packer's own send it: both work on a machine that notes
// its calls, Packer's through the adapter. Only the script of an elevated user differs from Packer's; of that,
// the task that it registers is compared.

import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { launch } from "../../host/mod.ts";
import PowershellProvisioner from "../../plugin/bundled/provisioners/powershell.ts";
import WindowsRestartProvisioner from "../../plugin/bundled/provisioners/windows_restart.ts";
import WindowsShellProvisioner from "../../plugin/bundled/provisioners/windows_shell.ts";
import { adaptComponent } from "../../plugin/sdk/component_adapter.ts";
import type { Provisioner } from "../../plugin/contract/provisioner.ts";
import { debianPacker, peer } from "../peers/peers.ts";
import {
  type Answer,
  type Recorded,
  RecordingCommunicator,
  withoutRandomness,
} from "../support/recording_communicator.ts";
import { buildContext, RecordingUi } from "../support/recording_ui.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

// Debian's Packer 1.6.6 is built with a library whose commands have another beginning, only in windows-restart.
const peers = {
  powershell: await debianPacker(),
  "windows-shell": await debianPacker(),
  "windows-restart": await peer("packer-1.11"),
};

const OURS = {
  powershell: PowershellProvisioner,
  "windows-shell": WindowsShellProvisioner,
  "windows-restart": WindowsRestartProvisioner,
};

interface Case {
  readonly type: keyof typeof OURS;
  readonly config: Record<string, unknown>;
  readonly answer?: (command: string, index: number) => Answer;
}

const script = "a.ps1";
const elevated = { elevated_user: "vagrant", elevated_password: "p$w`'\"" };

const CASES: Record<string, Case> = {
  "powershell inline": {
    type: "powershell",
    config: { inline: ["Write-Host 1", "exit 0"] },
  },
  "powershell with variables of both kinds": {
    type: "powershell",
    config: {
      script,
      environment_vars: [
        "QUOTES=a\"b'c`d$e",
        "USER={{user `who`}}",
        "ID={{build `ID`}}",
        "PACKER_BUILD_NAME=mine",
      ],
    },
  },
  "powershell with two scripts and a directory": {
    type: "powershell",
    config: { scripts: [script, "b.ps1"], remote_path: "c:\\in\\" },
  },
  ...Object.fromEntries(
    [
      "bypass",
      "allsigned",
      "default",
      "remotesigned",
      "restricted",
      "undefined",
      "unrestricted",
      "none",
      3,
      "7",
    ].map((execution_policy): [string, Case] => [
      `powershell with the execution policy ${execution_policy}`,
      { type: "powershell", config: { script, execution_policy } },
    ]),
  ),
  "powershell in debug mode": {
    type: "powershell",
    config: { script, debug_mode: 1 },
  },
  "powershell with custom formats and paths": {
    type: "powershell",
    config: {
      script,
      env_var_format: "[%s]=<%s>\n",
      environment_vars: ["A=1"],
      remote_path: "d:/{{build_name}}.ps1",
      remote_env_var_path: "d:/vars.ps1",
      execute_command: "run {{.Path}} {{.Vars}} {{.ID}} {{user `who`}}",
    },
  },
  "powershell that leaves its files": {
    type: "powershell",
    config: { script, skip_clean: true },
  },
  "powershell with an accepted exit code": {
    type: "powershell",
    config: { script, valid_exit_codes: [0, 3010] },
    answer: () => ({ status: 3010 }),
  },
  "powershell with an exit code that is not accepted": {
    type: "powershell",
    config: { scripts: [script, "b.ps1"] },
    answer: () => ({ status: 1 }),
  },
  "powershell of an elevated user": {
    type: "powershell",
    config: { script, ...elevated, environment_vars: ["A=$b"] },
  },
  "powershell of an elevated user with a custom command and format": {
    type: "powershell",
    config: {
      inline: ["x"],
      elevated_user: "SYSTEM",
      elevated_execute_command: "go <{{.Path}}> & '{{.Vars}}' \"q\"",
      elevated_env_var_format: "%s is %s;",
    },
  },
  "powershell of an elevated user whose password the builder publishes": {
    type: "powershell",
    config: {
      script,
      elevated_user: "Administrator",
      elevated_password: "{{.WinRMPassword}}",
    },
  },
  "windows-shell inline": {
    type: "windows-shell",
    config: { inline: ["dir", "exit 0"], environment_vars: ["A=1", "B=\"'$"] },
  },
  "windows-shell with scripts": {
    type: "windows-shell",
    config: {
      scripts: [script, "b.ps1"],
      env_var_format: "SET %s=%s&",
      execute_command: "cmd /c {{.Vars}} {{.Path}}",
      remote_path: "c:/x.bat",
    },
  },
  "windows-restart": { type: "windows-restart", config: {}, answer: restarted },
  "windows-restart with custom commands and the registry": {
    type: "windows-restart",
    config: {
      restart_command: "restart now",
      restart_check_command: "echo {{build_name}} is back",
      check_registry: true,
    },
    answer: (command) =>
      command.includes("restart test") ? { status: 1 } : restarted(command),
  },
  "windows-restart with custom registry keys": {
    type: "windows-restart",
    config: { check_registry: true, registry_keys: ["HKLM:\\A", "HKLM:\\B"] },
    answer: restarted,
  },
};

/** Answers like a machine that has restarted: Packer's check, encoded, expects this output. */
function restarted(command: string): Answer {
  const encoded = /-EncodedCommand (\S+)$/.exec(command)?.[1];
  if (encoded === undefined) return {};
  const bytes = Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0));
  const text = new TextDecoder("utf-16le").decode(bytes);
  return text.includes("restarted.") ? { stdout: "HOST restarted.\r\n" } : {
    stdout: "False\r\n",
  };
}

for (const [name, { type, config, answer }] of Object.entries(CASES)) {
  const { missing } = peers[type];
  Deno.test({
    name: `${name} sends what Packer's sends${
      missing ? `; skipped: ${missing}` : ""
    }`,
    ignore: missing !== undefined,
    async fn() {
      await using dir = await TemporaryDirectory.make({
        [script]: "one\n",
        "b.ps1": "two\n",
      });
      const record = async (provisioner: Provisioner) => {
        const build = buildContext(dir.path, {
          userVariables: { who: "me" },
          generatedData: [],
        });
        await provisioner.prepare({ config, build });
        const machine = new RecordingCommunicator(answer);
        let failed = false;
        try {
          await provisioner.provision({
            ui: new RecordingUi(),
            communicator: machine,
            data: { ID: "i-7", WinRMPassword: 's$"', PackerHTTPPort: "8123" },
            signal: new AbortController().signal,
          });
        } catch {
          failed = true;
        }
        return { sent: comparable(machine.sent), failed };
      };
      const ours = adaptComponent("provisioner", new OURS[type]());
      const expected = await withPackers(type, dir.path, record);
      assertEquals(await record(ours as Provisioner), expected);
      assert(expected.sent.length > 0);
    },
  });
}

/** Works with Packer's own provisioner, started in a directory. */
async function withPackers<T>(
  type: keyof typeof peers,
  cwd: string,
  work: (provisioner: Provisioner) => Promise<T>,
): Promise<T> {
  const main = join(import.meta.dirname!, "../../adapters/packer/main.ts");
  await using plugin = await launch([
    Deno.execPath(),
    "run",
    "--quiet",
    "--allow-all",
    main,
    peers[type].path!,
    type === "windows-restart" ? "execute" : "plugin",
  ], { cwd });
  return await work(await plugin.create("provisioner", type));
}

/** What was sent, without what is random or, in an elevated user's script, baler's own text. */
function comparable(sent: readonly Recorded[]): Recorded[] {
  return withoutRandomness(
    sent.map((one) =>
      "upload" in one && one.upload.includes("packer-elevated-shell")
        ? { ...one, content: JSON.stringify(registeredTask(one.content)) }
        : one
    ).map((one) =>
      // Temporary files have modes of their own.
      "upload" in one ? { ...one, mode: 0 } : one
    ),
  );
}

/** What the script of an elevated user registers: the task's definition, for whom, and where its output goes. */
function registeredTask(script: string) {
  const variable = (...names: string[]) => {
    for (const name of names) {
      const found = new RegExp(`^\\$${name} = "(.*)"$`, "m").exec(script);
      if (found !== null) return found[1];
    }
  };
  const expanded = [
    ...script.matchAll(/ExpandEnvironmentVariables\("([^"]*)"\)/g),
  ].map(([, path]) => path).sort();
  const xml = /@'\n([^]*?)\n'@/.exec(script)![1]!;
  const user = variable("user") ?? /<UserId>(.*)<\/UserId>/.exec(xml)![1];
  return {
    xml: xml.replace(/<UserId>.*<\/UserId>/, "<UserId/>").replace(/\s+/g, " "),
    user,
    password: variable("password"),
    name: variable("taskName", "name"),
    expanded,
  };
}
