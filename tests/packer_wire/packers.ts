// Real Packers for tests, each with the plugin of the test installed as that
// version finds plugins.

import { dirname, fromFileUrl, join } from "@std/path";
import {
  debianPacker,
  installPlugin,
  type Peer,
  peer,
} from "../peers/peers.ts";
import { NOT_POSIX, skippable } from "../support/programs.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));

/** A version of Packer. */
export interface PackerVersion {
  readonly name: string;
  /** Whether plugins are called `packer-KIND-NAME` and started without arguments. */
  readonly isOldStyle: boolean;
  readonly env?: Readonly<Record<string, string>>;
  find(): Promise<Peer>;
}

/** Every Packer that is tested with, and how. */
export const PACKERS: readonly PackerVersion[] = [
  { name: "1.6.6", isOldStyle: true, find: debianPacker },
  {
    name: "1.9.4",
    isOldStyle: false,
    find: () => peer("packer-1.9"),
  },
  {
    name: "1.9.4 with a plugin of the old style",
    isOldStyle: true,
    // Nothing tells a plugin of the old style that Packer is newer than 1.6.
    env: { BALER_PACKER_API: "5.0" },
    find: () => peer("packer-1.9"),
  },
  { name: "1.11.2", isOldStyle: false, find: () => peer("packer-1.11") },
  { name: "1.16.0", isOldStyle: false, find: () => peer("packer-1.16") },
  {
    name: "1.16.0 with gob",
    isOldStyle: false,
    env: { PACKER_FORCE_GOB: "1" },
    find: () => peer("packer-1.16"),
  },
];

/** What a run of Packer ended with. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
  output: string;
  log: string;
}

/** How a run is different. */
export interface RunOptions {
  /** The plugin's program; the one of the fixtures unless given. */
  readonly plugin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The names under which a template finds the plugin's components. */
export interface Names {
  machine: string;
  greet: string;
  label: string;
}

/** A directory in which Packer is run. */
export class PackerRun implements AsyncDisposable {
  private constructor(
    readonly packer: string,
    readonly version: PackerVersion,
    readonly path: string,
    readonly env: Record<string, string>,
  ) {}

  static async make(
    version: PackerVersion,
    packer: string,
    program = join(root, "tests/fixtures/plugins/packer_plugin.ts"),
  ): Promise<PackerRun> {
    const path = await Deno.realPath(
      await Deno.makeTempDir({ prefix: "baler-packer-" }),
    );
    for (const name of ["home", "tmp", "plugins", "work"]) {
      await Deno.mkdir(join(path, name));
    }
    const run = new PackerRun(packer, version, path, {
      PATH: Deno.env.get("PATH")!,
      HOME: join(path, "home"),
      TMPDIR: join(path, "tmp"),
      CHECKPOINT_DISABLE: "1",
      LC_ALL: "C.UTF-8",
      PACKER_NO_COLOR: "1",
      PACKER_PLUGIN_PATH: join(path, "plugins"),
      PACKER_LOG: "1",
      PACKER_LOG_PATH: join(path, "log"),
      TEST_NOTES: join(path, "notes"),
      DENO_DIR: await denoDir(),
      DENO_NO_UPDATE_CHECK: "1",
      ...version.env,
    });
    await run.#install(program);
    return run;
  }

  get names(): Names {
    return this.version.isOldStyle
      ? { machine: "machine", greet: "greet", label: "label" }
      : { machine: "ts-machine", greet: "ts-greet", label: "ts-label" };
  }

  /** How Packer calls a build of the machine builder in its output. */
  title(name: string): string {
    return this.version.name === "1.6.6"
      ? name
      : `${this.names.machine}.${name}`;
  }

  /** The absolute path of a name in the directory that Packer is started in. */
  at(name: string): string {
    return join(this.path, "work", name);
  }

  async #install(program: string): Promise<void> {
    const plugins = join(this.path, "plugins");
    const script =
      `#!/bin/sh\nexec '${Deno.execPath()}' run -A --no-check --cached-only --config '${
        join(root, "deno.json")
      }' '${program}' "$@"\n`;
    const write = async (path: string) => {
      await Deno.mkdir(dirname(path), { recursive: true });
      await Deno.writeTextFile(path, script);
      await Deno.chmod(path, 0o755);
    };
    if (this.version.isOldStyle) {
      for (
        const name of [
          "packer-builder-machine",
          "packer-provisioner-greet",
          "packer-post-processor-label",
        ]
      ) await write(join(plugins, name));
      return;
    }
    const arch = Deno.build.arch === "x86_64" ? "amd64" : "arm64";
    const path = join(
      plugins,
      "github.com/baler/ts",
      `packer-plugin-ts_v1.2.3_x5.0_${Deno.build.os}_${arch}`,
    );
    await write(path);
    const hash = await crypto.subtle.digest(
      "SHA-256",
      new TextEncoder().encode(script),
    );
    await Deno.writeTextFile(
      `${path}_SHA256SUM`,
      [...new Uint8Array(hash)].map((byte) =>
        byte.toString(16).padStart(2, "0")
      ).join(""),
    );
  }

  /** Puts packer-plugin-ansible where this Packer finds it; Packer 1.6 has it built in. */
  async installAnsible(path: string | undefined): Promise<void> {
    if (this.version.name === "1.6.6") return;
    await installPlugin("plugin-ansible", path!, join(this.path, "plugins"));
  }

  async write(name: string, content: unknown): Promise<string> {
    const path = this.at(name);
    await Deno.writeTextFile(
      path,
      typeof content === "string" ? content : JSON.stringify(content),
    );
    return path;
  }

  /** What the plugin has noted. */
  async notes(): Promise<string[]> {
    try {
      const text = await Deno.readTextFile(join(this.path, "notes"));
      return text.split("\n").slice(0, -1);
    } catch {
      return [];
    }
  }

  /** Starts Packer in a process group of its own. */
  start(args: readonly string[], env: Record<string, string> = {}) {
    const child = new Deno.Command("setsid", {
      args: [this.packer, ...args],
      cwd: join(this.path, "work"),
      env: { ...this.env, ...env },
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return new RunningPacker(child, join(this.path, "log"));
  }

  async run(args: readonly string[], env?: Record<string, string>) {
    return await this.start(args, env).ended();
  }

  /** Runs `packer build` with a template of JSON. */
  async build(template: unknown, ...flags: string[]): Promise<Ended> {
    await this.write("t.json", template);
    return await this.run(["build", ...flags, "t.json"]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** A Packer that runs. */
export class RunningPacker {
  readonly #child: Deno.ChildProcess;
  readonly #logPath: string;
  readonly #texts = { stdout: "", stderr: "" };
  readonly #read: Promise<unknown>;
  #watchers: (() => void)[] = [];
  #hasEnded = false;

  constructor(child: Deno.ChildProcess, logPath: string) {
    this.#child = child;
    this.#logPath = logPath;
    this.#read = Promise.all(
      (["stdout", "stderr"] as const).map(async (name) => {
        const decoder = new TextDecoder();
        for await (const chunk of child[name]) {
          this.#texts[name] += decoder.decode(chunk, { stream: true });
          for (const watcher of this.#watchers.splice(0)) watcher();
        }
      }),
    ).finally(() => {
      this.#hasEnded = true;
      for (const watcher of this.#watchers.splice(0)) watcher();
    });
  }

  /** Waits until the output has this. */
  async shows(text: string): Promise<void> {
    while (!this.#texts.stdout.includes(text)) {
      if (this.#hasEnded) {
        throw new Error(
          `Packer has ended without "${text}":\n${this.#texts.stdout}\n${this.#texts.stderr}`,
        );
      }
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  /** Signals the whole group, as a terminal does. */
  signal(signal: Deno.Signal): void {
    Deno.kill(-this.#child.pid, signal);
  }

  async ended(): Promise<Ended> {
    const { code } = await this.#child.status;
    await this.#read;
    const { stdout, stderr } = this.#texts;
    const log = await Deno.readTextFile(this.#logPath).catch(() => "");
    return { code, stdout, stderr, output: stdout + stderr, log };
  }
}

let directory: string | undefined;

/** Where Deno keeps what it has downloaded: the home of the test has none. */
async function denoDir(): Promise<string> {
  if (directory === undefined) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json"],
    }).output();
    directory = JSON.parse(new TextDecoder().decode(stdout)).denoDir as string;
  }
  return directory;
}

/** How long a build with Packer may take, in milliseconds. */
const TEST_TIMEOUT_MS = 180_000;

/** Defines a test with each Packer; one that is missing is skipped with the reason in its name. */
export async function forEachPacker(
  name: string,
  work: (run: PackerRun) => Promise<void>,
  { wanted = () => true, reason }: {
    /** The versions that the test is for. */
    wanted?: (version: PackerVersion) => boolean;
    /** Why the test is skipped with each of them. */
    reason?: string;
  } = {},
): Promise<void> {
  for (const version of PACKERS.filter(wanted)) {
    const { path, missing } = await version.find();
    Deno.test({
      ...skippable(
        `Packer ${version.name}: ${name}`,
        NOT_POSIX ?? reason ?? missing,
      ),
      async fn() {
        await using run = await PackerRun.make(version, path!);
        const { promise, reject } = Promise.withResolvers<never>();
        const timer = setTimeout(
          () => reject(new Error("the test takes too long")),
          TEST_TIMEOUT_MS,
        );
        try {
          await Promise.race([work(run), promise]);
        } finally {
          clearTimeout(timer);
        }
      },
    });
  }
}
