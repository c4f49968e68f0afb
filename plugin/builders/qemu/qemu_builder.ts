// The qemu builder: boots a virtual machine from an ISO, a disk image or a
// kernel, provisions it, and keeps its disk.

import { join, resolve } from "@std/path";
import {
  cacheDirectory,
  download,
  freePort,
  HttpServer,
  parseBootCommand,
  parseChecksum,
  provisionStep,
  runSteps,
  SshCommunicator,
  sshProblems,
  type Step,
  TemporaryKeyPair,
  writeCdImage,
} from "../../builder/mod.ts";
import type { Artifact } from "../../contract/artifact.ts";
import type { BuildContext } from "../../contract/build_context.ts";
import type {
  Builder,
  BuilderRunOptions,
  PrepareOptions,
  PrepareResult,
} from "../../contract/builder.ts";
import {
  ConfigError,
  type ConfigProblem,
} from "../../contract/config_error.ts";
import { render } from "../../sdk/render.ts";
import { bytesOf, compact, makeDisks } from "./disks.ts";
import { chooseAccelerator, QemuProcess } from "./qemu_process.ts";
import { diskPath, qemuArgs } from "./qemu_command.ts";
import { type QemuConfig, qemuOptions } from "./qemu_options.ts";

/** This machine, as the machine sees it in QEMU's user network. */
const HOST_ADDRESS = "10.0.2.2";

/** Names of what provisioners can read. */
const GENERATED = [
  "ID",
  "Host",
  "Port",
  "User",
  "ConnType",
  "PackerRunUUID",
  "PackerHTTPAddr",
  "PackerHTTPIP",
  "PackerHTTPPort",
  "SSHPublicKey",
  "SSHPrivateKey",
];

/** What the steps of a run make. */
interface State {
  image?: string;
  keys?: TemporaryKeyPair;
  cd?: string;
  disks?: string[];
  efiVars?: string;
  http?: HttpServer;
  sshPort?: number;
  qemu?: QemuProcess;
  communicator?: SshCommunicator;
}

/** Builds the disk of a virtual machine. */
export class QemuBuilder implements Builder<QemuConfig> {
  /** The configuration that it takes. */
  readonly options: typeof qemuOptions = qemuOptions;
  #config!: QemuConfig;
  #build!: BuildContext;
  #name = "";
  #directory = "";

  /** Checks the configuration; starts and downloads nothing. */
  async prepare(
    { config, build }: PrepareOptions<QemuConfig>,
  ): Promise<PrepareResult> {
    this.#config = config;
    this.#build = build;
    this.#name = config.vm_name || `packer-${build.name}`;
    this.#directory = resolve(
      build.workingDirectory,
      config.output_directory || `output-${build.name}`,
    );
    const problems: ConfigProblem[] = [];
    const problem = (key: keyof QemuConfig & string, message: string) =>
      void problems.push({ path: [key], message });
    const urls = this.#urls();
    if (urls.length === 0 && !config.kernel) {
      problem("iso_url", "one of iso_url, iso_urls or kernel must be given");
    }
    if (config.iso_url && config.iso_urls?.length) {
      problem("iso_url", "iso_url and iso_urls cannot be given together");
    }
    if (urls.length > 0) {
      if (!config.iso_checksum) {
        problem(
          "iso_checksum",
          'iso_checksum must be given; "none" checks nothing',
        );
      } else if (!/^(none$|file:)/.test(config.iso_checksum)) {
        try {
          parseChecksum(config.iso_checksum);
        } catch (error) {
          problem("iso_checksum", (error as Error).message);
        }
      }
    }
    if (
      config.use_backing_file &&
      !(config.disk_image && config.format === "qcow2")
    ) {
      problem(
        "use_backing_file",
        "use_backing_file needs disk_image and the format qcow2",
      );
    }
    for (const [path, size] of this.#sizes()) {
      try {
        bytesOf(size);
      } catch (error) {
        problems.push({ path, message: (error as Error).message });
      }
    }
    try {
      qemuArgs(config.qemuargs);
    } catch (error) {
      problem("qemuargs", (error as Error).message);
    }
    for (const key of ["http_content", "cd_content"] as const) {
      const value = config[key];
      if (value !== undefined && !isStringMap(value)) {
        problem(key, "must be an object of strings");
      }
    }
    if (config.http_directory && config.http_content) {
      problem(
        "http_directory",
        "http_directory and http_content cannot be given together",
      );
    }
    if (config.host_port_min > config.host_port_max) {
      problem("host_port_min", "must not be above host_port_max");
    }
    if (
      config.net_bridge && !config.ssh_host && config.communicator === "ssh"
    ) {
      problem("ssh_host", "a machine on a bridge needs ssh_host");
    }
    const ofSsh = config.communicator === "ssh"
      ? await sshProblems(config)
      : [];
    problems.push(...ofSsh);
    if (problems.length > 0) throw new ConfigError(problems);
    return {
      generatedData: GENERATED,
      warnings: config.shutdown_command ? [] : [
        "A shutdown_command was not specified. The machine will be halted as if its power was cut, which can damage its file system.",
      ],
    };
  }

  /** Boots, provisions, shuts down, and compacts the disk. */
  async run(
    { ui, hook, signal }: BuilderRunOptions,
  ): Promise<Artifact> {
    const state: State = {};
    const usesSsh = this.#config.communicator === "ssh";
    await runSteps<State>(
      [
        this.#download(),
        this.#outputDirectory(),
        ...(usesSsh ? [this.#keyPair()] : []),
        this.#cd(),
        this.#disks(),
        this.#httpServer(),
        this.#machine(),
        this.#bootCommand(),
        ...(usesSsh ? [this.#connect()] : []),
        provisionStep<State>({
          hook,
          communicator: ({ communicator }) => communicator,
          data: (state) => this.#data(state),
        }),
        this.#shutDown(),
        this.#compact(),
      ],
      state,
      { ui, signal, build: this.#build },
    );
    return await this.#artifact();
  }

  #urls(): readonly string[] {
    const { iso_url, iso_urls } = this.#config;
    return iso_url ? [iso_url] : iso_urls ?? [];
  }

  *#sizes(): Generator<[path: (string | number)[], size: string]> {
    yield [["disk_size"], this.#config.disk_size];
    for (
      const [index, size] of (this.#config.disk_additional_size ?? []).entries()
    ) {
      yield [["disk_additional_size", index], size];
    }
  }

  #download(): Step<State> {
    const { iso_checksum, iso_target_path, iso_target_extension } =
      this.#config;
    return {
      name: "StepDownload",
      run: async (state, { ui, signal }) => {
        const urls = this.#urls();
        if (urls.length === 0) return;
        await ui.say("Retrieving the image");
        await ui.message(urls.join("\n"));
        state.image = await download({
          urls: urls.map((url) => this.#local(url)),
          checksum: iso_checksum!,
          cache: cacheDirectory(),
          target: iso_target_path
            ? resolve(this.#build.workingDirectory, iso_target_path)
            : undefined,
          extension: iso_target_extension,
          ui,
          signal,
        });
      },
    };
  }

  #local(url: string): string {
    return /^[a-z][a-z0-9+.-]*:\/\//i.test(url)
      ? url
      : resolve(this.#build.workingDirectory, url);
  }

  #outputDirectory(): Step<State> {
    let isOurs = false;
    return {
      name: "StepPrepareOutputDir",
      run: async (_, { ui }) => {
        if (await exists(this.#directory)) {
          if (!this.#build.force) {
            throw new Error(
              `the output directory ${this.#directory} exists; use -force to replace it`,
            );
          }
          await ui.say(`Deleting the output directory ${this.#directory}...`);
          await Deno.remove(this.#directory, { recursive: true });
        }
        await Deno.mkdir(this.#directory, { recursive: true });
        isOurs = true;
      },
      cleanup: async (state, ui) => {
        if (!isOurs || state.qemu?.isBuilt) return;
        await ui.say("Deleting the output directory...");
        await Deno.remove(this.#directory, { recursive: true });
      },
    };
  }

  #keyPair(): Step<State> {
    const config = this.#config;
    return {
      name: "StepSshKeyPair",
      run: async (state, { ui }) => {
        if (
          config.ssh_password || config.ssh_private_key_file ||
          config.ssh_agent_auth
        ) return;
        await ui.say("Creating a temporary key pair for ssh...");
        state.keys = await TemporaryKeyPair.create({
          type: config.temporary_key_pair_type,
          bits: config.temporary_key_pair_bits,
          name: config.temporary_key_pair_name,
        });
      },
      cleanup: async ({ keys }) => await keys?.[Symbol.asyncDispose](),
    };
  }

  #cd(): Step<State> {
    const { cd_files, cd_label } = this.#config;
    const content = this.#config.cd_content as
      | Record<string, string>
      | undefined;
    return {
      name: "StepCreateCD",
      run: async (state, { ui }) => {
        if (!cd_files?.length && !content) return;
        await ui.say("Creating the CD...");
        state.cd = await Deno.makeTempFile({ prefix: "baler-cd-" });
        await writeCdImage(state.cd, {
          files: cd_files,
          content: content && Object.fromEntries(
            await Promise.all(
              Object.entries(content).map(async ([path, text]) => [
                path,
                await this.#render(text, state, (key) => key),
              ]),
            ),
          ),
          label: cd_label,
          workingDirectory: this.#build.workingDirectory,
        });
      },
      cleanup: async ({ cd }) => {
        if (cd) await Deno.remove(cd);
      },
    };
  }

  #disks(): Step<State> {
    const config = this.#config;
    return {
      name: "StepCreateDisk",
      run: async (state, { ui, signal }) => {
        await ui.say("Creating the disks...");
        state.disks = await makeDisks(
          config,
          this.#directory,
          this.#name,
          config.disk_image ? state.image : undefined,
          signal,
        );
        if (!config.efi_boot) return;
        state.efiVars = join(this.#directory, "efivars.fd");
        await Deno.copyFile(config.efi_firmware_vars, state.efiVars);
        await Deno.chmod(state.efiVars, 0o644);
      },
    };
  }

  #httpServer(): Step<State> {
    const config = this.#config;
    return {
      name: "StepHTTPServer",
      run: async (state, { ui }) => {
        if (!config.http_directory && !config.http_content) return;
        state.http = new HttpServer({
          directory: config.http_directory &&
            resolve(this.#build.workingDirectory, config.http_directory),
          content: config.http_content as Record<string, string> | undefined,
          hostname: config.http_bind_address,
          portMin: config.http_port_min,
          portMax: config.http_port_max,
        });
        await ui.say(`Starting the HTTP server on port ${state.http.port}`);
      },
      cleanup: async ({ http }) => await http?.[Symbol.asyncDispose](),
    };
  }

  #machine(): Step<State> {
    const config = this.#config;
    return {
      name: "StepRun",
      run: async (state, { ui, signal }) => {
        const { accelerator, reason } = await chooseAccelerator(
          config.accelerator,
        );
        if (reason) await ui.say(reason);
        const forwards = config.communicator === "ssh" &&
          !config.skip_nat_mapping && !config.net_bridge;
        if (forwards) {
          state.sshPort = freePort(config.host_port_min, config.host_port_max);
          await ui.say(
            `Forwarding port ${state.sshPort} to the machine's sshd`,
          );
        }
        await ui.say(
          config.kernel
            ? "Starting the machine, booting the kernel"
            : config.disk_image
            ? "Starting the machine, booting the disk image"
            : "Starting the machine, booting the ISO",
        );
        state.qemu = await QemuProcess.start(config, {
          name: this.#name,
          accelerator,
          disks: state.disks!,
          cds: state.cd ? [state.cd] : [],
          iso: config.disk_image ? undefined : state.image,
          efiVars: state.efiVars,
          sshPort: state.sshPort,
          vncDisplay: config.disable_vnc ? undefined : freePort(
            config.vnc_port_min,
            config.vnc_port_max,
            config.vnc_bind_address,
          ) - 5900,
        });
        signal.throwIfAborted();
      },
      cleanup: async ({ qemu }, ui) => {
        if (!qemu) return;
        if (qemu.isRunning) await ui.say("Halting the machine...");
        await qemu[Symbol.asyncDispose]();
      },
    };
  }

  #bootCommand(): Step<State> {
    const { boot_wait, boot_command = [], boot_key_interval } = this.#config;
    return {
      name: "StepBootCommand",
      run: async (state, { ui, signal }) => {
        if (boot_command.length === 0) return;
        if (boot_wait > 0) {
          await ui.say(`Waiting ${boot_wait / 1000} s for the boot...`);
        }
        await ui.say("Typing the boot command...");
        const text = await this.#render(boot_command.join(""), state);
        await state.qemu!.qmp.type(
          [
            { kind: "wait", milliseconds: boot_wait },
            ...parseBootCommand(text),
          ],
          boot_key_interval,
          signal,
        );
      },
    };
  }

  #connect(): Step<State> {
    const config = this.#config;
    return {
      name: "StepConnect",
      run: async (state, { ui, signal }) => {
        const target = {
          host: config.ssh_host || "127.0.0.1",
          port: state.sshPort ?? config.ssh_port,
          username: config.ssh_username!,
          ...(state.keys ? { privateKeyFile: state.keys.privateKeyFile } : {}),
        };
        await ui.say(
          `Waiting for SSH to become available at ${target.host}:${target.port}...`,
        );
        state.communicator = new SshCommunicator({ target, config });
        const ended = new AbortController();
        void state.qemu!.ended.then((reason) => ended.abort(reason));
        try {
          await state.communicator.connect(
            AbortSignal.any([signal, ended.signal]),
          );
        } catch (error) {
          if (!signal.aborted) await state.qemu!.showState(ui);
          throw error;
        }
        await ui.say("Connected to SSH!");
      },
      cleanup: async ({ communicator }) =>
        await communicator?.[Symbol.asyncDispose](),
    };
  }

  #shutDown(): Step<State> {
    const { shutdown_command, shutdown_timeout } = this.#config;
    return {
      name: "StepShutdown",
      run: async (state, { ui, signal }) => {
        const qemu = state.qemu!;
        if (shutdown_command && state.communicator) {
          await ui.say("Gracefully halting the machine...");
          const running = await state.communicator.start({
            command: shutdown_command,
            signal,
          });
          // The machine may be gone before the command has an exit status.
          Promise.resolve(running.wait()).catch(() => {});
        } else if (shutdown_command || this.#config.communicator === "none") {
          await ui.say("Waiting for the machine to shut down...");
        } else {
          await ui.say("Halting the machine...");
          await qemu.quit();
        }
        await qemu.waitForEnd(shutdown_timeout, signal, ui);
      },
    };
  }

  #compact(): Step<State> {
    return {
      name: "StepConvertDisk",
      run: async (state, { ui, signal }) => {
        await ui.say("Compacting the disk...");
        if (!await compact(this.#config, state.disks![0]!, signal)) {
          await ui.message("There is nothing to compact.");
        }
        state.qemu!.isBuilt = true;
      },
    };
  }

  #data(state: State): Record<string, unknown> {
    const { ssh_host, ssh_port, ssh_username } = this.#config;
    const http = state.http;
    const missing = (name: string) =>
      `ERR_HTTP_${name}_NOT_IMPLEMENTED_BY_BUILDER`;
    return {
      ID: this.#name,
      Host: ssh_host || "127.0.0.1",
      Port: state.sshPort ?? ssh_port,
      User: ssh_username ?? "",
      ConnType: this.#config.communicator,
      PackerRunUUID: Deno.env.get("PACKER_RUN_UUID") ?? "",
      PackerHTTPIP: http ? HOST_ADDRESS : missing("IP"),
      PackerHTTPPort: http ? String(http.port) : missing("PORT"),
      PackerHTTPAddr: http ? `${HOST_ADDRESS}:${http.port}` : missing("ADDR"),
      SSHPublicKey: state.keys?.publicKey ?? "",
      SSHPrivateKey: state.keys?.privateKey ?? "",
    };
  }

  /** Renders a text; what is typed or requested by URL has the public key encoded, as in Packer. */
  async #render(
    text: string,
    state: State,
    encodeKey: (key: string) => string = encodeURIComponent,
  ): Promise<string> {
    return await render(text, this.#build, {
      fields: {
        HTTPIP: HOST_ADDRESS,
        HTTPPort: state.http?.port ?? 0,
        Name: this.#name,
        SSHPublicKey: encodeKey(state.keys?.publicKey ?? ""),
      },
    });
  }

  async #artifact(): Promise<Artifact> {
    const directory = this.#directory;
    const files = (await Array.fromAsync(Deno.readDir(directory)))
      .map(({ name }) => join(directory, name)).sort();
    const state: Record<string, unknown> = {
      diskName: this.#name,
      diskPaths: files.filter((path) =>
        path.startsWith(diskPath(directory, this.#name))
      ),
      diskType: this.#config.format,
      diskSize: this.#config.disk_size,
      domainType: "qemu",
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

function isStringMap(value: unknown): value is Record<string, string> {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    Object.values(value).every((one) => typeof one === "string");
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
