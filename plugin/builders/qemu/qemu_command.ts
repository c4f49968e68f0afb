// The command line of QEMU: Packer's defaults, and what `qemuargs` replaces.

import { join } from "@std/path";
import type { QemuConfig } from "./qemu_options.ts";

/** What a machine is made of, beside its configuration. */
export interface Machine {
  /** Its name. */
  name: string;
  /** The accelerator. */
  accelerator: string;
  /** The paths of its disks, the first one to boot from. */
  disks: readonly string[];
  /** The paths of its CDs. */
  cds: readonly string[];
  /** The path of an ISO to boot from, where it boots from one. */
  iso?: string | undefined;
  /** The path of its copy of the EFI variables. */
  efiVars?: string | undefined;
  /** The port of this machine that leads to its sshd. */
  sshPort?: number | undefined;
  /** The number of its VNC display. */
  vncDisplay?: number | undefined;
  /** The path of the file that gets what it writes to its serial port. */
  serialLog: string;
}

/** Switches with their values, in the order in which they were first set. */
type Switches = Map<string, (string | undefined)[]>;

/**
 * Makes the command line.
 *
 * @param config The configuration.
 * @param machine The machine.
 * @returns The program and its arguments.
 */
export function qemuCommand(config: QemuConfig, machine: Machine): string[] {
  const switches = defaults(config, machine);
  const own = new Map<string, (string | undefined)[]>();
  for (const [name, ...values] of qemuArgs(config.qemuargs)) {
    const list = own.get(name!) ?? [];
    list.push(values.length > 0 ? values.join("") : undefined);
    own.set(name!, list);
  }
  for (const [name, values] of own) switches.set(name, values);
  return [
    config.qemu_binary,
    ...[...switches].flatMap(([name, values]) =>
      values.flatMap((value) => value === undefined ? [name] : [name, value])
    ),
    // Behind all that a template may replace: the builder cannot do without.
    "-qmp",
    "stdio",
  ];
}

/**
 * Reads `qemuargs`.
 *
 * @param value A list of lists of texts: a switch and its values.
 * @throws {TypeError} When it is none.
 */
export function qemuArgs(value: unknown): string[][] {
  if (value === undefined || value === null) return [];
  const isList = Array.isArray(value) &&
    value.every((one) =>
      Array.isArray(one) && one.length > 0 &&
      one.every((part) => typeof part === "string")
    );
  if (!isList) {
    throw new TypeError(
      'must be a list of lists of strings, such as [["-cpu", "host"]]',
    );
  }
  return value.map((one: string[]) =>
    one.filter((part, index) => index === 0 || part !== "")
  );
}

function defaults(config: QemuConfig, machine: Machine): Switches {
  const switches: Switches = new Map();
  const set = (name: string, ...values: (string | undefined)[]) =>
    switches.set(name, values);
  const { accelerator } = machine;
  set("-name", machine.name);
  set(
    "-machine",
    `type=${config.machine_type},accel=${
      accelerator === "none" ? "tcg" : accelerator
    }`,
  );
  set("-m", `${config.memory}M`);
  if (config.cpus > 1) set("-smp", `cpus=${config.cpus}`);
  if (config.cpu_model) set("-cpu", config.cpu_model);
  if (config.firmware) set("-bios", config.firmware);
  const { drives, devices } = drivesOf(config, machine);
  if (drives.length > 0) set("-drive", ...drives);
  set("-netdev", networkOf(config, machine));
  set("-device", ...devices, `${config.net_device},netdev=user.0`);
  if (config.kernel) {
    set("-kernel", config.kernel);
    if (config.initrd) set("-initrd", config.initrd);
    if (config.kernel_args) set("-append", config.kernel_args);
  } else set("-boot", machine.iso ? "once=d" : "c");
  if (!config.use_default_display) set("-display", config.display ?? "none");
  if (machine.vncDisplay !== undefined) {
    set("-vnc", `${config.vnc_bind_address}:${machine.vncDisplay}`);
  }
  set("-chardev", `file,id=serial,path=${escape(machine.serialLog)}`);
  set("-serial", "chardev:serial");
  return switches;
}

function drivesOf(
  config: QemuConfig,
  { disks, cds, iso, efiVars }: Machine,
): { drives: string[]; devices: string[] } {
  const drives: string[] = [];
  const devices: string[] = [];
  const isScsi = /^(virtio-)?scsi$/.test(config.disk_interface);
  for (const [index, path] of disks.entries()) {
    const common = [
      `file=${escape(path)}`,
      `format=${config.format}`,
      `cache=${config.disk_cache}`,
      `discard=${config.disk_discard}`,
      ...(config.disk_detect_zeroes === "off"
        ? []
        : [`detect-zeroes=${config.disk_detect_zeroes}`]),
    ];
    if (isScsi) {
      drives.push(["if=none", `id=drive${index}`, ...common].join(","));
      devices.push(`scsi-hd,bus=scsi0.0,drive=drive${index}`);
    } else if (config.disk_interface === "sata") {
      drives.push(["if=none", `id=drive${index}`, ...common].join(","));
      devices.push(`ide-hd,drive=drive${index},bus=ahci0.${index}`);
    } else drives.push([`if=${config.disk_interface}`, ...common].join(","));
  }
  if (isScsi) devices.unshift("virtio-scsi-pci,id=scsi0");
  else if (config.disk_interface === "sata") devices.unshift("ahci,id=ahci0");
  if (iso) {
    drives.push(
      `file=${escape(iso)},media=cdrom` +
        (config.cdrom_interface ? `,if=${config.cdrom_interface}` : ""),
    );
  }
  for (const path of cds) drives.push(`file=${escape(path)},media=cdrom`);
  if (efiVars) {
    drives.push(
      `if=pflash,unit=0,format=raw,readonly=on,file=${
        escape(config.efi_firmware_code)
      }`,
      `if=pflash,unit=1,format=raw,file=${escape(efiVars)}`,
    );
  }
  return { drives, devices };
}

function networkOf(config: QemuConfig, { sshPort }: Machine): string {
  if (config.net_bridge) return `bridge,id=user.0,br=${config.net_bridge}`;
  return sshPort === undefined
    ? "user,id=user.0"
    : `user,id=user.0,hostfwd=tcp:127.0.0.1:${sshPort}-:${config.ssh_port}`;
}

/** A path in a list of options: QEMU reads two commas as one. */
function escape(path: string): string {
  return path.replaceAll(",", ",,");
}

/** The path of the first disk in its directory. */
export function diskPath(directory: string, name: string, index = 0): string {
  return join(directory, index === 0 ? name : `${name}-${index}`);
}
