// The rootfs builder: a root file system is unpacked, provisioned in namespaces,
// and written as archives and images, without a virtual machine or a daemon.

import { basename, dirname, join, resolve } from "@std/path";
import { parseByteSize } from "../../builder/byte_size.ts";
import { findProgram } from "../../builder/find_program.ts";
import { NamespaceMachine } from "../../builder/namespaces/machine.ts";
import type { Volume } from "../../builder/namespaces/mounts.ts";
import { Tree } from "../../builder/namespaces/tree.ts";
import { UserNamespace } from "../../builder/namespaces/user_namespace.ts";
import { outputDirectoryProblems } from "../../builder/output_directory.ts";
import { provisionStep } from "../../builder/provision.ts";
import { runSteps, type Step } from "../../builder/steps.ts";
import type { Artifact } from "../../contract/artifact.ts";
import type { BuildContext } from "../../contract/build_context.ts";
import type {
  Builder,
  BuilderRunOptions,
  PrepareOptions,
  PrepareResult,
} from "../../contract/builder.ts";
import { ConfigError } from "../../contract/config_error.ts";
import type { Ui } from "../../contract/ui.ts";
import { checkConfig } from "./config_problems.ts";
import { writeOutputs } from "./outputs.ts";
import { type RootfsConfig, rootfsOptions } from "./rootfs_options.ts";
import { openSource, type Source } from "./sources.ts";

/** The most entries that a source may have. */
const MAX_ENTRIES = 10_000_000;

/** What the steps of a run make. */
interface State {
  /** Undefined again once it has ended. */
  namespace?: UserNamespace | undefined;
  source?: Source;
  tree?: Tree;
  machine?: NamespaceMachine;
  /** What the machine made in the tree to mount something at. */
  made?: readonly string[];
}

/** Builds root file systems. */
export class RootfsBuilder implements Builder<RootfsConfig> {
  /** The configuration that it takes. */
  readonly options: typeof rootfsOptions = rootfsOptions;
  #config!: RootfsConfig;
  #build!: BuildContext;
  #directory = "";
  #volumes: Volume[] = [];
  #maxTime: number | undefined;
  /** The build's own directory. */
  #scratch = "";
  /** Where the result is written, until it is complete. */
  #partial = "";

  /** Checks the configuration; starts and reads nothing. */
  async prepare(
    { config, build }: PrepareOptions<RootfsConfig>,
  ): Promise<PrepareResult> {
    this.#config = config;
    this.#build = build;
    this.#directory = resolve(
      build.workingDirectory,
      config.output_directory || `output-${build.name}`,
    );
    const { problems, volumes, maxTime } = await checkConfig(
      config,
      build,
      this.#directory,
    );
    if (problems.length > 0) throw new ConfigError(problems);
    this.#volumes = volumes;
    this.#maxTime = maxTime;
    return { generatedData: ["ID", "ConnType", "PackerRunUUID"] };
  }

  /** Unpacks, provisions, and writes the image. */
  async run({ ui, hook, signal }: BuilderRunOptions): Promise<Artifact> {
    const id = crypto.randomUUID();
    this.#scratch = join(await this.#scratchBase(), `baler-rootfs-${id}`);
    this.#partial = join(
      dirname(this.#directory),
      `.${basename(this.#directory).slice(0, 100)}.${id}.partial`,
    );
    const state: State = {};
    const steps: Step<State>[] = [
      this.#checkPrograms(),
      this.#namespace(),
      this.#unpack(),
      this.#machine(),
      provisionStep<State>({
        hook,
        communicator: ({ machine }) => machine,
        data: () => ({
          ID: this.#config.image_name,
          ConnType: "rootfs",
          PackerRunUUID: Deno.env.get("PACKER_RUN_UUID") ?? "",
        }),
      }),
      this.#write(),
    ];
    try {
      await runSteps(steps, state, { ui, signal, build: this.#build });
    } catch (error) {
      await this.#keep(state, ui);
      throw error;
    }
    return await this.#artifact();
  }

  /** Leaves the tree of a build that is not cleaned up: `-on-error=abort`. */
  async #keep(state: State, ui: Ui): Promise<void> {
    if (state.namespace === undefined) return;
    await state.machine?.[Symbol.asyncDispose]();
    await state.namespace.keep();
    await ui.say(`The tree is left in ${this.#scratch}`);
  }

  async #scratchBase(): Promise<string> {
    const { scratch_directory } = this.#config;
    if (scratch_directory) {
      return await Deno.realPath(
        resolve(this.#build.workingDirectory, scratch_directory),
      );
    }
    const { TMPDIR = "/var/tmp" } = Deno.env.toObject();
    return await Deno.realPath(TMPDIR || "/var/tmp");
  }

  /** Nothing is downloaded for a build that a missing program would fail in the end. */
  #checkPrograms(): Step<State> {
    const { formats, mmdebstrap_suite } = this.#config;
    return {
      name: "StepCheckPrograms",
      run: async () => {
        const has = (...wanted: typeof formats) =>
          wanted.some((format) => formats.includes(format));
        if (mmdebstrap_suite) await findProgram("mmdebstrap", "mmdebstrap");
        if (has("tar.zst")) await findProgram("zstd", "zstd");
        if (has("ext4", "qcow2")) {
          await findProgram("mke2fs", "e2fsprogs");
          await findProgram("debugfs", "e2fsprogs");
        }
        if (has("qcow2")) await findProgram("qemu-img", "qemu-utils");
      },
    };
  }

  #namespace(): Step<State> {
    const { privileged } = this.#config;
    return {
      name: "StepCreateNamespace",
      run: async (state, { ui, signal }) => {
        await ui.say("Creating the namespaces...");
        state.namespace = await UserNamespace.create({
          directories: [this.#scratch, this.#partial],
          isPrivileged: privileged,
          signal,
        });
        if (!state.namespace.hasOwners) {
          await ui.say(
            "Only root can own files: this user has no lines in /etc/subuid and /etc/subgid, or newuidmap is not installed. What the source has keeps its owners in the result.",
          );
        }
        await Deno.mkdir(this.#scratch, { mode: 0o700 });
      },
      cleanup: async (state) => {
        await state.namespace?.[Symbol.asyncDispose]();
        state.namespace = undefined;
      },
    };
  }

  #unpack(): Step<State> {
    return {
      name: "StepUnpack",
      run: async (state, { ui, signal }) => {
        const namespace = state.namespace!;
        const limits = {
          maxBytes: parseByteSize(this.#config.max_size),
          maxEntries: MAX_ENTRIES,
        };
        state.source = await openSource(this.#config, {
          ...{ namespace, limits, ui, signal },
          scratch: this.#scratch,
          workingDirectory: this.#build.workingDirectory,
          maxTime: this.#maxTime,
        });
        state.tree = await Tree.unpack(state.source.archives, {
          ...{ namespace, signal, ...limits },
          root: join(this.#scratch, "root"),
          hasWhiteouts: state.source.image !== undefined,
        });
        const { entries, devices } = state.tree;
        await ui.message(
          `Unpacked ${entries} files` +
            (devices > 0
              ? `, without ${devices} device nodes outside of /dev, which a build that is not privileged cannot make`
              : ""),
        );
      },
    };
  }

  #machine(): Step<State> {
    const config = this.#config;
    return {
      name: "StepStartMachine",
      run: async (state, { signal }) => {
        const { resolv_conf, network } = config;
        const hasResolver = resolv_conf !== "" && network === "host" &&
          await exists(resolv_conf);
        const image = state.source!.image?.config.config;
        const environment = Object.fromEntries(
          (image?.Env ?? []).map((one) => {
            const [name = "", ...value] = one.split("=");
            return [name, value.join("=")];
          }),
        );
        state.machine = await NamespaceMachine.start({
          namespace: state.namespace!,
          mounts: {
            root: state.tree!.root,
            hostname: config.hostname,
            tmpfs: config.tmpfs,
            volumes: [
              ...hasResolver
                ? [{
                  source: await Deno.realPath(resolv_conf),
                  target: "/etc/resolv.conf",
                  isReadOnly: true,
                }]
                : [],
              ...this.#volumes,
            ],
          },
          hasOwnNetwork: network === "none",
          environment: {
            PATH:
              "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            HOME: "/root",
            LANG: "C.UTF-8",
            ...this.#maxTime === undefined
              ? {}
              : { SOURCE_DATE_EPOCH: String(this.#maxTime) },
            ...environment,
            ...config.oci_env,
            ...config.environment,
          },
          shell: config.shell,
          signal,
        });
        state.made = state.machine.made;
      },
      cleanup: async ({ machine }) => await machine?.[Symbol.asyncDispose](),
    };
  }

  #write(): Step<State> {
    return {
      name: "StepWriteImage",
      run: async (state, { ui, signal }) => {
        // No process is to change the tree while it is read.
        await state.machine![Symbol.asyncDispose]();
        await Deno.mkdir(this.#partial, { recursive: true });
        await writeOutputs(this.#config, {
          namespace: state.namespace!,
          tree: state.tree!,
          image: state.source!.image,
          made: state.made!,
          scratch: this.#scratch,
          directory: this.#partial,
          maxTime: this.#maxTime,
          ...{ ui, signal },
        });
        signal.throwIfAborted();
        if (await exists(this.#directory)) {
          const [problem] = await outputDirectoryProblems({
            ...{ directory: this.#directory, force: this.#build.force },
          });
          if (problem) throw new Error(problem.message);
          await ui.say("Deleting the previous output directory...");
          await remove(this.#directory);
        }
        await Deno.rename(this.#partial, this.#directory);
      },
    };
  }

  async #artifact(): Promise<Artifact> {
    const directory = this.#directory;
    const { image_name, formats } = this.#config;
    const tree = formats.includes("directory")
      ? join(directory, image_name)
      : undefined;
    const files: string[] = [];
    for await (const path of filesIn(directory, tree)) files.push(path);
    const state: Record<string, unknown> = {
      formats,
      ...tree ? { directory: tree } : {},
    };
    return {
      builderId: "baler.rootfs",
      id: image_name,
      files: files.sort(),
      state: (name) => Object.hasOwn(state, name) ? state[name] : undefined,
      destroy: () => remove(directory),
      toString: () => `root file system in ${directory}`,
    };
  }
}

/** The files in a directory, without those of a tree. */
async function* filesIn(
  directory: string,
  tree: string | undefined,
): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = join(directory, name);
    if (!isDirectory) yield path;
    else if (path !== tree) yield* filesIn(path, tree);
  }
}

/** Removes a directory in which files may belong to other users of a namespace. */
async function remove(directory: string): Promise<void> {
  try {
    await Deno.remove(directory, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    const namespace = await UserNamespace.create({ directories: [directory] });
    await namespace[Symbol.asyncDispose]();
    if (await exists(directory)) throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
