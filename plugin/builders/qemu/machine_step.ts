// The step that starts QEMU: it chooses the accelerator, the display and the
// ports.

import { resolve } from "@std/path";
import { freePort, type Step } from "../../builder/mod.ts";
import type { Ui } from "../../contract/ui.ts";
import { chooseAccelerator } from "./accelerator.ts";
import { type Machine, parseQemuArgs, qemuCommand } from "./qemu_command.ts";
import type { QemuConfig } from "./qemu_options.ts";
import { QemuProcess } from "./qemu_process.ts";
import type { QmpEvent } from "./qmp.ts";
import { type QemuRun, type QemuState, renderText } from "./run.ts";

/** QEMU counts VNC's displays from this port on. */
const FIRST_VNC_PORT = 5900;

/** How often QEMU is started when another process has taken a port meanwhile. */
const MAX_STARTS = 5;

/** The length of a random password of VNC, in characters. */
const VNC_PASSWORD_CHARS = 8;

/** What QEMU writes when it cannot listen on a port. */
const PORT_IN_USE =
  /Address already in use|Could not set up host forwarding rule/;

/**
 * The step that starts the machine, and ends it at the end of the run.
 *
 * @param run The run.
 */
export function machineStep(run: QemuRun): Step<QemuState> {
  const { config } = run;
  return {
    name: "StepRun",
    run: async (state, { ui, signal }) => {
      const { name, reason } = await chooseAccelerator(
        config.accelerator,
        config.qemu_binary,
      );
      state.accelerator = name;
      if (reason) await ui.message(reason);
      const display = await chooseDisplay(config, ui);
      await ui.say(
        config.kernel
          ? "Starting VM, booting the kernel"
          : config.disk_image
          ? "Starting VM, booting disk image"
          : "Starting VM, booting from CD-ROM",
      );
      if (parseQemuArgs(config.qemuargs).length > 0) {
        await ui.say(
          "Overriding default Qemu arguments with qemuargs template option...",
        );
      }
      state.qemu = await start(run, state, display, ui);
      signal.throwIfAborted();
      await setVncPassword(state.qemu, config, ui);
    },
    cleanup: async ({ qemu }, ui) => {
      if (!qemu) return;
      if (qemu.isRunning) await ui.say("Halting the virtual machine...");
      else if (!qemu.isExpectedToEnd) {
        await ui.error((await qemu.ended).message);
      }
      await qemu[Symbol.asyncDispose]();
    },
  };
}

/** Starts QEMU, with other ports where others have taken the first ones meanwhile. */
async function start(
  run: QemuRun,
  state: QemuState,
  display: string | undefined,
  ui: Ui,
): Promise<QemuProcess> {
  const { config } = run;
  for (let attempt = 1;; attempt++) {
    if (forwardsSsh(config)) {
      state.sshPort = freePort(config.host_port_min, config.host_port_max);
    }
    const vncPort = config.disable_vnc ? undefined : freePort(
      config.vnc_port_min,
      config.vnc_port_max,
      config.vnc_bind_address,
    );
    const machine: Machine = {
      ...await machineOf(run, state),
      display,
      vncDisplay: vncPort === undefined ? undefined : vncPort - FIRST_VNC_PORT,
    };
    const replacements = await Promise.all(
      parseQemuArgs(config.qemuargs).map((parts) =>
        Promise.all(parts.map((part) => renderText(run, state, part)))
      ),
    );
    try {
      const qemu = await QemuProcess.start({
        program: config.qemu_binary,
        args: (channels) =>
          qemuCommand(config, machine, channels, replacements),
        cwd: run.build.workingDirectory,
        onEvent: (event) => reportEvent(event, ui),
      });
      if (state.sshPort !== undefined) {
        await ui.say(
          `Found port for communicator (SSH, WinRM, etc): ${state.sshPort}.`,
        );
      }
      if (vncPort !== undefined) {
        await ui.message(
          `The screen of the VM: vnc://${config.vnc_bind_address}:${vncPort}`,
        );
      }
      return qemu;
    } catch (error) {
      if (
        attempt === MAX_STARTS || !PORT_IN_USE.test((error as Error).message)
      ) throw error;
    }
  }
}

/** What the machine consists of, apart from its display and ports of VNC. */
async function machineOf(
  run: QemuRun,
  state: QemuState,
): Promise<Omit<Machine, "display" | "vncDisplay">> {
  const { config, build: { workingDirectory } } = run;
  const medium = config.iso_skip_cache ? state.mediumUrl : state.image;
  const bootsFromCd = !config.disk_image && medium !== undefined;
  return {
    name: run.name,
    accelerator: state.accelerator!,
    disks: state.disks!,
    cds: [
      ...(bootsFromCd ? [medium] : []),
      ...(state.cd ? [state.cd] : []),
    ],
    bootsFromCd,
    efi: state.efi,
    tpmSocket: state.tpm?.socket,
    kernel: config.kernel
      ? {
        path: resolve(workingDirectory, config.kernel),
        initrd: config.initrd && resolve(workingDirectory, config.initrd),
        args: await renderText(run, state, config.kernel_args),
      }
      : undefined,
    sshPort: state.sshPort,
    qmpSocket: qmpSocketOf(run),
  };
}

/**
 * Whether a port of this machine is forwarded to the machine's sshd.
 *
 * @param config The configuration.
 */
function forwardsSsh(config: QemuConfig): boolean {
  return config.communicator === "ssh" && !config.skip_nat_mapping &&
    !config.net_bridge;
}

/** The path of the QMP socket for others, which QEMU itself makes. */
export function qmpSocketOf(
  { config, build, directory, name }: QemuRun,
): string | undefined {
  if (!config.qmp_enable) return undefined;
  return config.qmp_socket_path
    ? resolve(build.workingDirectory, config.qmp_socket_path)
    : resolve(directory, `${name}.monitor`);
}

/** The value of `-display`; undefined where QEMU needs none. */
async function chooseDisplay(
  config: QemuConfig,
  ui: Ui,
): Promise<string | undefined> {
  if (config.use_default_display) return undefined;
  // With VNC alone, QEMU opens no window.
  const none = config.disable_vnc ? "none" : undefined;
  if (config.headless) return none;
  if (config.display) return config.display;
  const { os } = Deno.build;
  if (os === "darwin") return "cocoa";
  const hasDisplay = os === "windows" || Deno.env.get("DISPLAY") ||
    Deno.env.get("WAYLAND_DISPLAY");
  if (hasDisplay) return "gtk";
  await ui.message("There is no display here: the VM runs without a window.");
  return none;
}

async function setVncPassword(
  qemu: QemuProcess,
  config: QemuConfig,
  ui: Ui,
): Promise<void> {
  if (!config.vnc_use_password || config.disable_vnc) return;
  const password = config.vnc_password ||
    crypto.randomUUID().replaceAll("-", "").slice(0, VNC_PASSWORD_CHARS);
  await qemu.qmp.execute("set_password", { protocol: "vnc", password });
  if (!config.vnc_password) {
    await ui.message(`The password of VNC: ${password}`);
  }
}

/** Shows the events that explain why a machine has stopped. */
function reportEvent({ event, data = {} }: QmpEvent, ui: Ui): void {
  if (event === "GUEST_PANICKED") {
    void ui.error("The VM's kernel has panicked.");
  }
  if (event === "BLOCK_IO_ERROR" && data.nospace === true) {
    void ui.error(
      "The VM is paused: there is no space left for its disk on this machine.",
    );
  }
}
