// What tests of Packer's plugins under baler share: a baler that finds its adapter, and real peers.

import { join } from "@std/path";
import { compile } from "../../tools/compile.ts";
import {
  type Ended,
  forEachHost,
  type RunOptions,
  type Workspace,
} from "../support/harness.ts";
import { copyExecutable } from "../support/executable_file.ts";
import {
  debianPacker,
  installPlugin,
  type Peer,
  peer,
  type PeerName,
} from "../peers/peers.ts";

/** A test's baler, with the environment in which it finds the adapter and the peers. */
export interface PackerBench {
  /** The test's baler. */
  readonly bench: Workspace;
  /** The paths of the peers' executables, in the order in which they were asked for. */
  readonly paths: readonly string[];
  /** Variables for every run. */
  readonly env: Record<string, string>;
  /** Runs baler to its end, with those variables. */
  baler(args: readonly string[], options?: RunOptions): Promise<Ended>;
  /** Builds a template, which has to succeed. */
  builds(template: unknown, args?: readonly string[]): Promise<Ended>;
}

/**
 * A test for each way to run baler, which is skipped where a peer is missing. Like every test of a baler, it
 * also proves that no process and no temporary file is left.
 *
 * @param promise What the test proves.
 * @param peers The peers that it needs: `packer` for Packer 1.6.6, or a directory of tests/peers.
 * @param test The test.
 * @param options `missing`: what else is missing, so that it is skipped. `limitMs`: how long it may take.
 */
export async function testWithPackers(
  promise: string,
  peers: readonly ("packer" | PeerName)[],
  test: (bench: PackerBench) => Promise<void>,
  options: { missing?: string | undefined; limitMs?: number } = {},
): Promise<void> {
  const found: Peer[] = await Promise.all(
    peers.map((name) => name === "packer" ? debianPacker() : peer(name)),
  );
  const missing = options.missing ??
    found.find((one) => one.missing !== undefined)?.missing;
  forEachHost(promise, async (bench) => {
    const env: Record<string, string> = { CHECKPOINT_DISABLE: "1" };
    if (bench.kind === "compiled") {
      env.BALER_PLUGIN_PATH = await adapterFolder();
    }
    await test({
      bench,
      paths: found.map(({ path }) => path!),
      env,
      baler: (args, options) =>
        bench.baler(args, { ...options, env: { ...env, ...options?.env } }),
      builds: (template, args) => bench.builds(template, args, { env }),
    });
  }, {
    ignore: missing,
    ...(options.limitMs === undefined ? {} : { limitMs: options.limitMs }),
  });
}

let adapter: Promise<string> | undefined;

/** A folder with the compiled adapter, and nothing else that would be found. */
function adapterFolder(): Promise<string> {
  adapter ??= (async () => {
    const [made] = await compile(["packer"], { say: () => {} });
    const folder = await Deno.makeTempDir({ prefix: "baler-test-adapter-" });
    globalThis.addEventListener(
      "unload",
      () => Deno.removeSync(folder, { recursive: true }),
    );
    await copyExecutable(made!.path, join(folder, "baler-packer"));
    return folder;
  })();
  return adapter;
}

/**
 * Installs a plugin where Packer looks for installed plugins.
 *
 * @param bench The test's baler, in whose home it is installed.
 * @param name The plugin's directory below tests/peers.
 * @param path Its executable.
 * @returns The path of the installed executable.
 */
export function install(
  bench: Workspace,
  name: PeerName,
  path: string,
): Promise<string> {
  return installPlugin(
    name,
    path,
    join(bench.home, ".config", "packer", "plugins"),
  );
}

/**
 * How a template names a component that Packer 1.6.6 serves itself.
 *
 * @param packer The path of Packer.
 * @param kind The kind of component.
 * @param name Its name.
 */
export function ofPacker(packer: string, kind: string, name: string): string[] {
  return [packer, "plugin", `packer-${kind}-${name}`];
}

/** The reason why a program is not there; undefined when it is. */
export function missingProgram(name: string): string | undefined {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    try {
      if (Deno.statSync(join(folder, name)).isFile) return undefined;
    } catch {
      // Not in this folder.
    }
  }
  return `${name} is not installed`;
}

/**
 * Makes a folder with a `docker` that is podman, whose images and containers are the test's own, and an image
 * `localhost/base` of busybox.
 *
 * @param bench The test's baler.
 * @returns The PATH on which `docker` is.
 */
export async function podmanAsDocker(bench: Workspace): Promise<string> {
  const folder = bench.at("podman");
  await bench.write(
    "podman/containers.conf",
    `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
netns = "none"
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
`,
  );
  await bench.write(
    "podman/bin/docker",
    `#!/bin/sh
export CONTAINERS_CONF=${folder}/containers.conf TMPDIR=${folder}/tmp
mkdir -p "$TMPDIR"
exec podman --root ${folder}/root --runroot ${folder}/run --tmpdir ${folder}/tmp --storage-driver vfs "$@"
`,
    { mode: 0o755 },
  );
  const path = `${folder}/bin:${bench.env.PATH}`;
  const { success, stderr } = await new Deno.Command("sh", {
    args: ["-e", "-c", IMAGE, "sh", join(folder, "rootfs")],
    env: { ...bench.env, PATH: path },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return path;
}

/** Imports an image of busybox, with the libraries that it may need, from a root file system made in $1. */
const IMAGE = `
mkdir -p "$1/bin" "$1/tmp" "$1/etc"
busybox=$(command -v busybox)
cp "$busybox" "$1/bin/busybox"
for library in $(ldd "$busybox" 2>/dev/null | grep -o '/[^ ]*'); do
  mkdir -p "$1$(dirname "$library")"
  cp "$library" "$1$library"
done
for name in sh ls cat chmod chown mkdir cp rm sleep tar echo env sha256sum; do
  ln -s busybox "$1/bin/$name"
done
echo 'root:x:0:0::/root:/bin/sh' > "$1/etc/passwd"
echo 'root:x:0:' > "$1/etc/group"
tar -C "$1" -c . | docker import - localhost/base:latest
`;

/** Why podman cannot stand in for docker here. */
export const missingPodman: string | undefined = missingProgram("podman") ??
  missingProgram("runc") ?? (missingProgram("busybox"));

/** The processes whose command line has a text. */
export async function processesWith(text: string): Promise<number[]> {
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === Deno.pid) continue;
    try {
      const command = await Deno.readTextFile(`/proc/${pid}/cmdline`);
      if (command.replaceAll("\0", " ").includes(text)) found.push(pid);
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}
