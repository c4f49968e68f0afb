// The qemu builder: boots a virtual machine from an ISO, a disk image or a
// kernel, provisions it, and keeps its disk.

import { join, resolve } from "@std/path";
import {
  cdStep,
  clearAuthorizedKeysStep,
  connectStep,
  downloadStep,
  findProgram,
  httpServerStep,
  isoUrls,
  keyPairStep,
  outputDirectoryStep,
  provisionStep,
  runSteps,
  type Step,
} from "../../builder/mod.ts";
import { runUuid } from "../../bundled/shared/run_uuid.ts";
import type { Artifact } from "../../contract/artifact.ts";
import type {
  Builder,
  BuilderRunOptions,
  PrepareOptions,
  PrepareResult,
} from "../../contract/builder.ts";
import { ConfigError } from "../../contract/config_error.ts";
import { bootCommandStep } from "./boot_steps.ts";
import { bridgeAddress, guestAddress } from "./bridge.ts";
import { checkConfig } from "./config_problems.ts";
import { compactDisk, makeDisks } from "./disks.ts";
import { bootsByEfi, copyVars, findFirmware } from "./firmware.ts";
import { machineStep, qmpSocketOf } from "./machine_step.ts";
import { type QemuConfig, qemuOptions } from "./qemu_options.ts";
import { type QemuRun, type QemuState, renderText } from "./run.ts";
import { shutdownStep } from "./shutdown_step.ts";
import { Swtpm } from "./swtpm.ts";

/** This machine, as the machine reaches it in QEMU's user network. */
const USER_NETWORK_HOST = "10.0.2.2";

/** The names that provisioners can read. */
const GENERATED = [
  "ID",
  "Host",
  "Port",
  "User",
  "Password",
  "ConnType",
  "PackerRunUUID",
  "PackerHTTPAddr",
  "PackerHTTPIP",
  "PackerHTTPPort",
  "SSHPublicKey",
  "SSHPrivateKey",
];

/** Builds the disk of a virtual machine. */
export class QemuBuilder implements Builder<QemuConfig> {
  /** The configuration that it takes. */
  readonly options: typeof qemuOptions = qemuOptions;
  #run!: QemuRun;

  /** Checks the configuration; starts and downloads nothing. */
  async prepare(
    { config: given, build }: PrepareOptions<QemuConfig>,
  ): Promise<PrepareResult> {
    const { ssh_host_port_min, ssh_host_port_max } = given;
    const config: QemuConfig = {
      ...given,
      // As in Packer, none at all is the default.
      disk_size: /^0?$/.test(given.disk_size)
        ? qemuOptions.disk_size.default
        : given.disk_size,
      host_port_min: ssh_host_port_min || given.host_port_min,
      host_port_max: ssh_host_port_max || given.host_port_max,
    };
    const directory = resolve(
      build.workingDirectory,
      config.output_directory || `output-${build.name}`,
    );
    this.#run = {
      config,
      build,
      directory,
      name: config.vm_name || `packer-${build.name}`,
    };
    const { problems, warnings } = await checkConfig(this.#run);
    if (problems.length > 0) throw new ConfigError(problems);
    return { generatedData: GENERATED, warnings };
  }

  /** Boots, provisions, shuts down, and compacts the disk. */
  async run({ ui, hook, signal }: BuilderRunOptions): Promise<Artifact> {
    const { config, build, directory } = this.#run;
    const { workingDirectory, force } = build;
    const usesSsh = config.communicator === "ssh";
    const state: QemuState = {};
    const steps: Step<QemuState>[] = [
      this.#checkPrograms(),
      ...(config.iso_skip_cache
        ? []
        : [downloadStep(config, workingDirectory)]),
      outputDirectoryStep({ directory, force }),
      ...(usesSsh ? [keyPairStep(config)] : []),
      httpServerStep(config, workingDirectory),
      cdStep<QemuState>({
        config,
        workingDirectory,
        render: (text, state) => renderText(this.#run, state, text),
      }),
      this.#disks(),
      ...(config.vtpm ? [this.#tpm()] : []),
      machineStep(this.#run),
      bootCommandStep(this.#run),
      ...(usesSsh ? this.#connect() : []),
      provisionStep<QemuState>({
        hook,
        communicator: ({ communicator }) => communicator,
        data: (state) => this.#data(state),
      }),
      ...(usesSsh
        ? [
          clearAuthorizedKeysStep<QemuState>({
            config,
            name: ({ keys }) => keys?.name,
          }),
        ]
        : []),
      shutdownStep(config),
      this.#finish(),
    ];
    await runSteps<QemuState>(steps, state, { ui, signal, build });
    return await this.#artifact(state);
  }

  /** Finds what is missing on this machine before anything is downloaded. */
  #checkPrograms(): Step<QemuState> {
    const { config } = this.#run;
    return {
      name: "StepCheckPrograms",
      run: async (state) => {
        for (
          const program of [
            config.qemu_binary,
            "qemu-img",
            ...(config.vtpm ? ["swtpm"] : []),
          ]
        ) await findProgram(program);
        if (bootsByEfi(config)) state.efi = await findFirmware(config);
        if (config.iso_skip_cache) state.mediumUrl = isoUrls(config)[0]!;
        state.hostAddress = config.net_bridge
          ? bridgeAddress(config.net_bridge)
          : USER_NETWORK_HOST;
      },
    };
  }

  #disks(): Step<QemuState> {
    const { config, directory, name } = this.#run;
    return {
      name: "StepCreateDisk",
      run: async (state, context) => {
        state.disks = await makeDisks(config, {
          directory,
          name,
          image: config.disk_image ? state.image : undefined,
        }, context);
        if (state.efi) state.efi = await copyVars(state.efi, directory);
      },
    };
  }

  #tpm(): Step<QemuState> {
    return {
      name: "StepCreateVTPM",
      run: async (state, { signal }) => {
        state.tpm = await Swtpm.start(this.#run.config.use_tpm1, signal);
      },
      cleanup: async ({ tpm }) => await tpm?.[Symbol.asyncDispose](),
    };
  }

  #connect(): Step<QemuState>[] {
    const { config } = this.#run;
    const { net_bridge, ssh_host } = config;
    return [
      {
        name: "StepWaitGuestAddress",
        run: async (state, { ui, signal }) => {
          if (!net_bridge || ssh_host) return;
          await ui.say(`Waiting for the VM's address on ${net_bridge}...`);
          state.guestAddress = await guestAddress(
            state.qemu!.qmp,
            net_bridge,
            config.ssh_wait_timeout ?? config.ssh_timeout,
            signal,
          );
        },
      },
      connectStep<QemuState>({
        config,
        target: (state) => ({
          ...this.#address(state),
          username: config.ssh_username!,
          ...(state.keys === undefined
            ? {}
            : { privateKeyFile: state.keys.privateKeyFile }),
        }),
        ended: ({ qemu }) => qemu!.ended,
        onFailure: async ({ qemu }, ui) => await qemu!.showState(ui),
      }),
    ];
  }

  #finish(): Step<QemuState> {
    const { config } = this.#run;
    return {
      name: "StepConvertDisk",
      run: async (state, context) => {
        await compactDisk(config, state.disks![0]!, context);
        if (state.efi && config.efi_drop_efivars) {
          await Deno.remove(state.efi.vars);
        }
        // QEMU removes its socket only where it is not killed.
        const socket = qmpSocketOf(this.#run);
        if (socket) await Deno.remove(socket).catch(() => {});
        state.isComplete = true;
      },
    };
  }

  #address(state: QemuState): { host: string; port: number } {
    const { ssh_host, ssh_port } = this.#run.config;
    return {
      host: ssh_host || state.guestAddress || "127.0.0.1",
      port: state.sshPort ?? ssh_port,
    };
  }

  async #data(state: QemuState): Promise<Record<string, unknown>> {
    const { config, name } = this.#run;
    const { host, port } = this.#address(state);
    const { http, hostAddress } = state;
    const missing = (name: string) =>
      `ERR_HTTP_${name}_NOT_IMPLEMENTED_BY_BUILDER`;
    return {
      ID: name,
      Host: host,
      Port: port,
      User: config.ssh_username ?? "",
      Password: config.ssh_password ?? "",
      ConnType: config.communicator,
      PackerRunUUID: await runUuid(),
      PackerHTTPIP: http ? hostAddress : missing("IP"),
      PackerHTTPPort: http ? String(http.port) : missing("PORT"),
      PackerHTTPAddr: http ? `${hostAddress}:${http.port}` : missing("ADDR"),
      SSHPublicKey: state.keys?.publicKey ?? "",
      SSHPrivateKey: state.keys?.privateKey ?? "",
    };
  }

  async #artifact({ disks, accelerator }: QemuState): Promise<Artifact> {
    const { config, directory, name } = this.#run;
    const files = (await Array.fromAsync(Deno.readDir(directory)))
      .filter(({ isDirectory }) => !isDirectory)
      .map(({ name }) => join(directory, name)).sort();
    const state: Record<string, unknown> = {
      diskName: name,
      diskPaths: disks,
      diskType: config.format,
      diskSize: config.disk_size,
      // Of several accelerators, the one that was wanted.
      domainType: accelerator?.split(":")[0],
    };
    return {
      builderId: "transcend.qemu",
      id: "VM",
      files,
      state: (name) => Object.hasOwn(state, name) ? state[name] : undefined,
      destroy: () => Deno.remove(directory, { recursive: true }),
      toString: () => `VM files in directory: ${directory}`,
    };
  }
}
