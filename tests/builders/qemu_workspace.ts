// Templates of the qemu builder for tests, with a machine that QEMU emulates.

import { fromFileUrl } from "@std/path";
import { examplePlugin, type Workspace } from "../support/harness.ts";
import {
  noVirtualMachine,
  virtualMachineImage,
  VM_PASSWORD,
} from "../support/virtual_machine.ts";

/** The options of a test with a machine: an emulated one takes a while. */
export const MACHINE_TEST = {
  ignore: noVirtualMachine,
  limitMs: 400_000,
} as const;

/**
 * The command of the qemu builder: from source, or its executable.
 *
 * @param workspace The workspace of the test.
 */
export async function qemuPlugin({ kind }: Workspace): Promise<string[]> {
  if (kind === "compiled") return [await examplePlugin("builder-qemu")];
  const main = "../../plugin/builders/qemu/main.ts";
  return [
    Deno.execPath(),
    ...["run", "--quiet", "--no-prompt", "--allow-all"],
    fromFileUrl(import.meta.resolve(main)),
  ];
}

/** Options of every machine: how it is emulated, and how it is reached. */
export const MACHINE = {
  // A /dev/kvm that is there need not work.
  accelerator: "tcg",
  disk_size: "64M",
  memory: 256,
  ssh_username: "root",
  ssh_password: VM_PASSWORD,
  ssh_timeout: "5m",
  shutdown_command: "poweroff -f",
} as const;

/**
 * The options of a machine that boots the small Linux without a boot loader.
 */
export async function kernelMachine(): Promise<Record<string, unknown>> {
  const { kernel, initrd } = await virtualMachineImage();
  return { ...MACHINE, kernel, initrd, kernel_args: "console=ttyS0 quiet" };
}

/**
 * Writes `template.json` with one qemu builder.
 *
 * @param workspace The workspace of the test.
 * @param builder The builder's options.
 * @param rest The rest of the template.
 */
export async function writeQemuTemplate(
  workspace: Workspace,
  builder: Record<string, unknown>,
  rest: Record<string, unknown> = {},
): Promise<void> {
  await workspace.write("template.json", {
    plugins: { builders: { qemu: await qemuPlugin(workspace) } },
    builders: [{ type: "qemu", ...builder }],
    ...rest,
  });
}
