// The qemu builder, with a virtual machine that QEMU emulates.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { forEachHost, type Workspace } from "../support/harness.ts";
import {
  noVirtualMachine,
  virtualMachineImage,
  VM_PASSWORD,
} from "../support/virtual_machine.ts";

const QEMU = [
  Deno.execPath(),
  "run",
  "--quiet",
  "--no-prompt",
  "--allow-all",
  fromFileUrl(import.meta.resolve("../../plugin/builders/qemu/main.ts")),
];

/** What a disk begins with once it was provisioned. */
const MARK = "written by baler";

const options = { ignore: noVirtualMachine, limitMs: 400_000 };

async function writeTemplate(
  workspace: Workspace,
  builder: Record<string, unknown>,
  inline: string[],
): Promise<void> {
  const { kernel, initrd } = await virtualMachineImage();
  await workspace.write("template.json", {
    plugins: { builders: { qemu: QEMU } },
    builders: [{
      type: "qemu",
      kernel,
      initrd,
      kernel_args: "console=ttyS0 quiet",
      // A /dev/kvm that is there need not work.
      accelerator: "tcg",
      disk_size: "64M",
      memory: 256,
      ssh_username: "root",
      ssh_password: VM_PASSWORD,
      ssh_timeout: "5m",
      shutdown_command: "poweroff -f",
      ...builder,
    }],
    provisioners: [{ type: "shell", inline }],
    "post-processors": [{ type: "checksum", checksum_types: ["sha256"] }],
  });
}

forEachHost(
  "qemu boots, provisions, and keeps a disk that boots again",
  async (workspace) => {
    await writeTemplate(workspace, { output_directory: "first" }, [
      `printf '${MARK}' | dd of=/dev/vda 2>/dev/null`,
      "sync",
    ]);
    const { stdout } = await workspace.succeeds(["build", "template.json"]);
    assertMatch(stdout, /==> qemu: Connected to SSH!/);
    assertMatch(stdout, /--> qemu: VM files in directory: .*\/first$/m);
    const disk = workspace.at("first/packer-qemu");
    assert((await Deno.stat(disk)).size > 0);

    await writeTemplate(workspace, {
      disk_image: true,
      iso_url: disk,
      iso_checksum: "none",
      output_directory: "second",
    }, [`dd if=/dev/vda bs=${MARK.length} count=1 2>/dev/null; echo`]);
    const second = await workspace.succeeds(["build", "template.json"]);
    assertMatch(second.stdout, new RegExp(`qemu: ${MARK}$`, "m"));
  },
  options,
);

forEachHost(
  "qemu leaves no machine and no output directory after Ctrl-C",
  async (workspace) => {
    await writeTemplate(workspace, { output_directory: "out" }, ["true"]);
    const run = workspace.start(["build", "template.json"]);
    await run.shows("Waiting for SSH");
    run.kill("SIGINT");
    const ended = await run.ended();
    assertEquals(ended.code, 130, ended.output);
    await assertRejects(
      () => Deno.stat(workspace.at("out")),
      Deno.errors.NotFound,
    );
  },
  options,
);

forEachHost(
  "qemu shows why a machine cannot be reached, and where it stands",
  async (workspace) => {
    await writeTemplate(workspace, {
      ssh_password: "wrong",
      ssh_handshake_attempts: 2,
    }, ["true"]);
    const ended = await workspace.baler(["build", "template.json"]);
    assertMatch(
      ended.output,
      /cannot log in to root@127\.0\.0\.1:\d+: the handshake failed 2 times; the last refusal: .*Permission denied/,
    );
    assertMatch(
      ended.output,
      /The last lines of the serial port:\n.*The machine is up\./,
    );
    for (
      const [, path] of ended.output.matchAll(
        /picture of the machine's screen: (\S+)/g,
      )
    ) await Deno.remove(path!);
  },
  options,
);
