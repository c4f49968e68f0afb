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
  /** The paths of the peers' executables, in the order of the arguments. */
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
 * @param options `missing`: what else is missing, so that it is skipped.
 */
export async function testWithPackers(
  promise: string,
  peers: readonly ("packer" | PeerName)[],
  test: (bench: PackerBench) => Promise<void>,
  options: { missing?: string | undefined } = {},
): Promise<void> {
  const found: Peer[] = await Promise.all(
    peers.map((name) => name === "packer" ? debianPacker() : peer(name)),
  );
  const missing = options.missing ??
    found.find((one) => one.missing !== undefined)?.missing;
  forEachHost(promise, async (bench) => {
    const env: Record<string, string> = { CHECKPOINT_DISABLE: "1" };
    if (bench.kind === "compiled") {
      env.BALER_PLUGIN_PATH = await adapterDirectory();
    }
    await test({
      bench,
      paths: found.map(({ path }) => path!),
      env,
      baler: (args, options) =>
        bench.baler(args, { ...options, env: { ...env, ...options?.env } }),
      builds: (template, args) => bench.builds(template, args, { env }),
    });
  }, { ignore: missing });
}

let adapter: Promise<string> | undefined;

/** A directory with the compiled adapter, and nothing else that would be found. */
export function adapterDirectory(): Promise<string> {
  adapter ??= (async () => {
    const [made] = await compile(["packer"], { say: () => {} });
    const directory = await Deno.makeTempDir({ prefix: "baler-test-adapter-" });
    globalThis.addEventListener(
      "unload",
      () => Deno.removeSync(directory, { recursive: true }),
    );
    await copyExecutable(made!.path, join(directory, "baler-packer"));
    return directory;
  })();
  return adapter;
}

/**
 * Installs a plugin in Packer's plugin directory.
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
      // It has exited meanwhile.
    }
  }
  return found;
}
