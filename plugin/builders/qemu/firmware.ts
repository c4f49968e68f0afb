// The EFI firmware of a machine: OVMF, where distributions have it.

import { join } from "@std/path";
import type { QemuConfig } from "./qemu_options.ts";

/** Where Debian, Ubuntu, Fedora and Arch have the code and the variables of OVMF. */
const OVMF = [
  ["/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"],
  ["/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"],
  ["/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"],
  [
    "/usr/share/edk2/x64/OVMF_CODE.4m.fd",
    "/usr/share/edk2/x64/OVMF_VARS.4m.fd",
  ],
] as const;

/** The name of a machine's own variables, as in Packer. */
const VARS_FILE = "efivars.fd";

/** The files of an EFI firmware. */
export interface Firmware {
  /** The path of its code. */
  readonly code: string;
  /** The path of its variables, as they are before the first boot. */
  readonly vars: string;
}

/**
 * Whether a machine boots by EFI.
 *
 * @param config The configuration.
 */
export function bootsByEfi(config: QemuConfig): boolean {
  return config.efi_boot || Boolean(config.efi_firmware_code) ||
    Boolean(config.efi_firmware_vars);
}

/**
 * Gives a machine its own copy of the EFI variables.
 *
 * @param firmware The firmware.
 * @param directory The directory of the copy.
 * @returns The firmware, with the copy as its variables.
 */
export async function copyVars(
  { code, vars }: Firmware,
  directory: string,
): Promise<Firmware> {
  const copy = join(directory, VARS_FILE);
  await Deno.copyFile(vars, copy);
  await Deno.chmod(copy, 0o644);
  return { code, vars: copy };
}

/**
 * Finds the EFI firmware.
 *
 * @param config The configuration.
 * @throws {Error} When a file cannot be read, with what to do.
 */
export async function findFirmware(
  { efi_firmware_code, efi_firmware_vars }: QemuConfig,
): Promise<Firmware> {
  const known = efi_firmware_code
    ? OVMF.find(([code]) => code === efi_firmware_code)
    : await firstReadable();
  const [code, vars] = known ?? OVMF[0];
  const firmware = {
    code: efi_firmware_code || code,
    vars: efi_firmware_vars || vars,
  };
  for (const [name, path] of Object.entries(firmware)) {
    if (await isReadable(path)) continue;
    throw new Error(
      `cannot read the EFI firmware ${path}; install OVMF (Debian's package ovmf), or give efi_firmware_${name}`,
    );
  }
  return firmware;
}

async function firstReadable(): Promise<readonly [string, string] | undefined> {
  for (const pair of OVMF) if (await isReadable(pair[0])) return pair;
}

async function isReadable(path: string): Promise<boolean> {
  return await Deno.open(path).then(
    (file) => {
      file.close();
      return true;
    },
    () => false,
  );
}
