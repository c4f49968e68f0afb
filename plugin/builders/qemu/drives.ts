// The drives of a machine, and the devices that they need, as arguments of QEMU.

import type { Machine } from "./qemu_command.ts";
import type { QemuConfig } from "./qemu_options.ts";

/** The values of QEMU's switches `-drive` and `-device`. */
export interface Drives {
  readonly drives: readonly string[];
  readonly devices: readonly string[];
}

/**
 * The drives of a machine: its disks, then its CDs, then its firmware.
 *
 * @param config The configuration.
 * @param machine The machine.
 */
export function drivesOf(config: QemuConfig, machine: Machine): Drives {
  const drives: string[] = [];
  const devices: string[] = [];
  const { disk_interface, cdrom_interface, disk_detect_zeroes } = config;
  // A controller is added before its first drive.
  const controllers = new Set<string>();
  const controller = (id: string, device: string) => {
    if (controllers.has(id)) return;
    controllers.add(id);
    devices.push(`${device},id=${id}`);
  };
  let sataPorts = 0;
  const attach = (
    id: string,
    kind: "hd" | "cd",
    on: string | undefined,
    file: string,
    options: string,
  ) => {
    const isScsi = on === "virtio-scsi" || on === "scsi";
    if (isScsi) {
      controller("scsi0", "virtio-scsi-pci");
      devices.push(`scsi-${kind},bus=scsi0.0,drive=${id}`);
    } else if (on === "sata") {
      controller("ahci0", "ahci");
      devices.push(`ide-${kind},bus=ahci0.${sataPorts++},drive=${id}`);
    }
    const where = isScsi || on === "sata"
      ? `if=none,id=${id},`
      : on === undefined
      ? ""
      : `if=${on},`;
    drives.push(`${where}file=${escapeCommas(file)},${options}`);
  };
  for (const [index, path] of machine.disks.entries()) {
    attach(
      `drive${index}`,
      "hd",
      disk_interface,
      path,
      `cache=${config.disk_cache},discard=${config.disk_discard},format=${config.format}` +
        (disk_detect_zeroes === "off"
          ? ""
          : `,detect-zeroes=${disk_detect_zeroes}`),
    );
  }
  for (const [index, path] of machine.cds.entries()) {
    attach(`cdrom${index}`, "cd", cdrom_interface, path, "media=cdrom");
  }
  if (config.firmware && config.use_pflash) {
    drives.push(
      `file=${escapeCommas(config.firmware)},if=pflash,format=raw,readonly=on`,
    );
  }
  if (machine.efi) {
    const { code, vars } = machine.efi;
    drives.push(
      `file=${escapeCommas(code)},if=pflash,unit=0,format=raw,readonly=on`,
      `file=${escapeCommas(vars)},if=pflash,unit=1,format=raw`,
    );
  }
  return { drives, devices };
}

/** A path in a list of options: QEMU reads two commas as one. */
export function escapeCommas(path: string): string {
  return path.replaceAll(",", ",,");
}
