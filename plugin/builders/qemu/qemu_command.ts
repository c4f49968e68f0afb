// The command line of QEMU: the switches of Packer's plugin, and what
// `qemuargs` replaces.

import { drivesOf, escapeCommas } from "./drives.ts";
import type { QemuConfig } from "./qemu_options.ts";

/** What a machine consists of, beside its configuration. */
export interface Machine {
  /** Its name. */
  readonly name: string;
  /** The accelerator, or several that QEMU tries in turn. */
  readonly accelerator: string;
  /** The paths of its disks, the first one to boot from. */
  readonly disks: readonly string[];
  /** The paths or URLs of its CDs. */
  readonly cds: readonly string[];
  /** True when the first CD is the medium to boot from. */
  readonly bootsFromCd: boolean;
  /** The path of its floppy. */
  readonly floppy?: string | undefined;
  /** The paths of the EFI firmware and of the machine's copy of its variables. */
  readonly efi?: { readonly code: string; readonly vars: string } | undefined;
  /** The path of the control socket of its TPM. */
  readonly tpmSocket?: string | undefined;
  /** The kernel that it boots without a boot loader. */
  readonly kernel?:
    | {
      readonly path: string;
      readonly initrd?: string | undefined;
      readonly args: string;
    }
    | undefined;
  /** The port of this machine that is forwarded to its sshd. */
  readonly sshPort?: number | undefined;
  /** The number of its VNC display. */
  readonly vncDisplay?: number | undefined;
  /** Its display, such as `gtk`; QEMU's choice unless given. */
  readonly display?: string | undefined;
  /** The path of the QMP socket for others than the builder. */
  readonly qmpSocket?: string | undefined;
}

/** The character devices by which the builder controls and watches QEMU. */
export interface Channels {
  /** For QMP. */
  readonly qmp: string;
  /** For the first serial port. */
  readonly serial: string;
}

/** Switches with their values, in the order in which they were first set. */
type Switches = Map<string, readonly string[]>;

/**
 * Makes the arguments of QEMU.
 *
 * @param config The configuration.
 * @param machine The machine.
 * @param channels Its channels to the builder.
 * @param replacements `qemuargs`, with its templates filled in.
 */
export function qemuCommand(
  config: QemuConfig,
  machine: Machine,
  channels: Channels,
  replacements: readonly (readonly string[])[],
): string[] {
  const switches = defaultSwitches(config, machine, channels);
  const own = new Map<string, string[]>();
  for (const [name, ...parts] of replacements) {
    const values = own.get(name!) ?? [];
    const value = parts.join("");
    if (value !== "") values.push(value);
    own.set(name!, values);
  }
  for (const [name, values] of own) switches.set(name, values);
  // As in Packer: with devices of their own, few templates repeat the network's.
  const devices = switches.get("-device") ?? [];
  if (!devices.join("").includes(config.net_device)) {
    switches.set("-device", [...devices, netDevice(config)]);
  }
  return [
    ...[...switches].flatMap(([name, values]) =>
      values.length === 0 ? [name] : values.flatMap((value) => [name, value])
    ),
    // No template can replace the builder's own connection.
    "-qmp",
    channels.qmp,
  ];
}

/**
 * Reads `qemuargs`.
 *
 * @param value A list of lists of strings: a switch and the parts of its value.
 * @throws {TypeError} When it is no such list.
 */
export function parseQemuArgs(value: unknown): string[][] {
  if (value === undefined || value === null) return [];
  const isList = Array.isArray(value) &&
    value.every((one) =>
      Array.isArray(one) && one.length > 0 && one[0] !== "" &&
      one.every((part) => typeof part === "string")
    );
  if (!isList) {
    throw new TypeError(
      'must be a list of lists of strings, such as [["-cpu", "host"]]',
    );
  }
  return value;
}

function defaultSwitches(
  config: QemuConfig,
  machine: Machine,
  channels: Channels,
): Switches {
  const switches: Switches = new Map();
  const set = (name: string, ...values: string[]) => {
    if (values.length > 0) switches.set(name, values);
  };
  const setIf = (name: string, value: string | undefined) => {
    if (value) switches.set(name, [value]);
  };
  const { accelerator, kernel, tpmSocket, qmpSocket, vncDisplay } = machine;
  set("-name", machine.name);
  set(
    "-machine",
    `type=${config.machine_type}` +
      (accelerator === "none" ? "" : `,accel=${accelerator}`),
  );
  // Packer starts no machine with less, and takes its default.
  set("-m", `${config.memory < 10 ? 512 : config.memory}M`);
  set("-smp", topology(config));
  setIf("-cpu", config.cpu_model);
  if (!config.use_pflash) setIf("-bios", config.firmware);
  if (kernel) {
    set("-kernel", kernel.path);
    setIf("-initrd", kernel.initrd);
    setIf("-append", kernel.args);
  } else if (!machine.efi) set("-boot", machine.bootsFromCd ? "once=d" : "c");
  setIf("-fda", machine.floppy);
  const { drives, devices } = drivesOf(config, machine);
  set("-drive", ...drives);
  set("-netdev", network(config, machine));
  set("-device", ...devices, netDevice(config));
  if (tpmSocket) {
    set("-chardev", `socket,id=vtpm,path=${escapeCommas(tpmSocket)}`);
    set("-tpmdev", "emulator,id=tpm0,chardev=vtpm");
    set(
      "-device",
      ...switches.get("-device")!,
      `${config.tpm_device_type},tpmdev=tpm0`,
    );
  }
  setIf("-vga", config.vga);
  setIf("-display", machine.display);
  if (vncDisplay !== undefined) {
    set(
      "-vnc",
      `${config.vnc_bind_address}:${vncDisplay}` +
        (config.vnc_use_password ? ",password=on" : ""),
    );
  }
  set("-serial", channels.serial);
  if (qmpSocket) {
    set("-qmp", `unix:${escapeCommas(qmpSocket)},server=on,wait=off`);
  }
  return switches;
}

function netDevice({ net_device }: QemuConfig): string {
  return `${net_device},netdev=user.0`;
}

function network(config: QemuConfig, { sshPort }: Machine): string {
  if (config.net_bridge) return `bridge,id=user.0,br=${config.net_bridge}`;
  return sshPort === undefined
    ? "user,id=user.0"
    : `user,id=user.0,hostfwd=tcp:127.0.0.1:${sshPort}-:${config.ssh_port}`;
}

/** The value of `-smp`: of `cpus` and the topology, the smaller number of processors. */
function topology({ cpus, sockets, cores, threads }: QemuConfig): string {
  const parts = { sockets, cores, threads };
  const given = Object.entries(parts).filter(([, count]) => count);
  const product = given.reduce((all, [, count]) => all * count!, 1);
  const count = given.length === 0
    ? cpus || 1
    : Math.min(cpus || product, product);
  return [String(count), ...given.map(([name, n]) => `${name}=${n}`)].join(",");
}
