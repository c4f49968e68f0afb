// Builds of a virtual machine: baler's qemu builder beside Packer's, with the
// same kernel and the same disk.

import { join } from "@std/path";
import { compile } from "../../tools/compile.ts";
import { missing as missingProgram } from "../support/programs.ts";
import {
  noVirtualMachine,
  virtualMachineImage,
  VM_PASSWORD,
} from "../support/virtual_machine.ts";
import { inTurns } from "./builds.ts";
import { costOf } from "./processes.ts";
import { atMost, type Row } from "./row.ts";
import type { Sizes } from "./sizes.ts";

/**
 * Measures builds of a machine.
 *
 * @param baler The path of the host.
 * @param sizes How often.
 * @param directory Where files are made.
 * @param missing Called with the reason where something is missing; there are no rows then.
 */
export async function machineRows(
  baler: string,
  sizes: Sizes,
  directory: string,
  missing: (reason: string) => void,
): Promise<Row[]> {
  const reason = noVirtualMachine ?? missingProgram("packer");
  if (reason !== undefined) {
    missing(`virtual machines: ${reason}`);
    return [];
  }
  const { kernel, initrd } = await virtualMachineImage();
  const [plugin] = await compile(["builder-qemu"], { say: () => {} });
  const disk = join(directory, "machine.qcow2");
  await costOf({
    argv: ["qemu-img", "create", "-f", "qcow2", disk, "64M"],
    cwd: directory,
  });
  const template = {
    builders: [{
      type: "qemu",
      disk_image: true,
      iso_url: disk,
      iso_checksum: "none",
      skip_resize_disk: true,
      // A /dev/kvm that is there need not work.
      accelerator: "tcg",
      headless: true,
      // Packer would connect by VNC without anything to type.
      disable_vnc: true,
      memory: 256,
      ssh_username: "root",
      ssh_password: VM_PASSWORD,
      shutdown_command: "poweroff -f",
      qemuargs: [
        ["-kernel", kernel],
        ["-initrd", initrd],
        ["-append", "console=ttyS0 quiet"],
      ],
    }],
    provisioners: [{ type: "shell", inline: ["true"] }],
  };
  const build = async (
    program: string,
    content: unknown,
  ): Promise<number> => {
    const path = join(directory, "machine.json");
    await Deno.writeTextFile(path, JSON.stringify(content));
    const { wall } = await costOf({
      argv: [program, "build", "-force", path],
      cwd: directory,
      env: {
        CHECKPOINT_DISABLE: "1",
        PACKER_CACHE_DIR: join(directory, "packer_cache"),
      },
    });
    return wall;
  };
  const { ours, theirs } = await inTurns(
    sizes.machines,
    () =>
      build(baler, {
        ...template,
        plugins: { builders: { qemu: [plugin!.path] } },
      }),
    () => build("packer", template),
  );
  return [{
    work: "qemu: boot, one provisioner, shut down",
    measure: "ms",
    peer: "packer",
    target: atMost(1),
    baler: ours,
    others: theirs,
    note: "emulated, without KVM",
  }];
}
