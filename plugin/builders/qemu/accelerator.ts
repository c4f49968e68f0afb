// The choice of the accelerator, for a template that does not name one.

import { basename } from "@std/path";

/** An accelerator. */
export interface Accelerator {
  /** Its name, or several that QEMU tries in turn, for `-machine accel=`. */
  readonly name: string;
  /** Why the machine will be slow, where it will. */
  readonly reason?: string;
}

/**
 * Chooses the accelerator.
 *
 * @param wanted The template's `accelerator`.
 * @param program The QEMU program, whose name tells what it emulates.
 * @returns The accelerator.
 */
export async function chooseAccelerator(
  wanted: string | undefined,
  program: string,
): Promise<Accelerator> {
  if (wanted === "none") {
    return {
      name: wanted,
      reason: "The machine is started without an accelerator, which is slow.",
    };
  }
  if (wanted) return { name: wanted };
  const { os, arch } = Deno.build;
  if (os === "darwin") return { name: "hvf:tcg" };
  if (os === "windows") return { name: "whpx:tcg" };
  const emulates = /^qemu-system-(\w+)/.exec(basename(program))?.[1] ?? arch;
  const isSame = emulates === arch || emulates === "i386" && arch === "x86_64";
  const obstacle = !isSame
    ? `the machine is ${emulates}, this one ${arch}`
    : os === "linux"
    ? await kvmObstacle()
    : `there is no KVM on ${os}`;
  if (obstacle === undefined) return { name: "kvm" };
  return {
    name: "tcg",
    reason:
      `Emulating the processor (tcg), which is much slower than KVM: ${obstacle}`,
  };
}

async function kvmObstacle(): Promise<string | undefined> {
  try {
    (await Deno.open("/dev/kvm", { read: true, write: true })).close();
  } catch (error) {
    return `/dev/kvm ${
      error instanceof Deno.errors.NotFound
        ? "does not exist"
        : "cannot be opened"
    }`;
  }
}
