// The programs that are measured: compiled like any other, and the peers that
// this machine has.

import { join } from "@std/path";
import { compile } from "../../tools/compile.ts";
import type { Executable } from "../../tools/executables.ts";

/** The commands of the measured programs. */
export interface Programs {
  /** Paths of compiled programs. */
  readonly baler: string;
  readonly plugin: string;
  readonly hello: string;
  /** Commands and their arguments: compiled, or from source. */
  readonly host: readonly string[];
  readonly pipe: readonly string[];
  readonly isFromSource: boolean;
  /** The peers that are there. */
  readonly peers: {
    /** Both from npm, in one program: how it is run, less the peer's name. */
    readonly npm?: readonly string[];
    readonly go?: string;
    readonly packer?: string;
  };
  /** What is not there, each with the reason. */
  readonly missing: readonly string[];
  /** By name. */
  readonly versions: Readonly<Record<string, string>>;
}

const here = import.meta.dirname!;
const dist = join(here, "..", "..", "dist");
const out = join(dist, "bench");

/** The packages of npm that are peers. */
const NPM_PEERS = ["kkrpc", "vscode-jsonrpc"];

/**
 * Compiles the programs that are not up to date, and finds the peers.
 *
 * @param isFromSource Whether calls are made between programs that run from
 * source, in this very Deno.
 * @param say Is told what is going on.
 */
export async function programs(
  isFromSource: boolean,
  say: (line: string) => void,
): Promise<Programs> {
  const program = (name: string, ...flags: string[]): Executable => ({
    name,
    entry: join(here, "programs", `${name}.ts`),
    flags: ["--no-prompt", ...flags],
    out,
  });
  const [baler, host, plugin, hello, pipe] = await compile([
    "baler",
    program(
      "host",
      "--allow-read",
      "--allow-run",
      "--allow-env",
      "--allow-ffi",
    ),
    program("plugin"),
    program("hello"),
    program("pipe", "--allow-run", "--allow-read"),
  ], { say });

  const missing: string[] = [];
  const optional = async <T>(
    names: readonly string[],
    find: () => Promise<T>,
  ): Promise<T | undefined> => {
    try {
      return await find();
    } catch (error) {
      const reason = (error as Error).message.split("\n")[0]!;
      for (const name of names) missing.push(`${name}: ${reason}`);
    }
  };
  const npm = await optional(NPM_PEERS, npmPeers);
  const goVersion = await versionOf("go", "version");
  const go = goVersion && await optional(["Go"], compileGo);
  if (goVersion === undefined) missing.push("Go: not installed");
  const packerVersion = await versionOf("packer", "version");
  if (packerVersion === undefined) missing.push("packer: not installed");
  return {
    baler: baler!.path,
    plugin: plugin!.path,
    hello: hello!.path,
    isFromSource,
    ...isFromSource
      ? {
        host: [
          ...sourceOf("host"),
          JSON.stringify(sourceOf("plugin")),
          hello!.path,
        ],
        pipe: sourceOf("pipe"),
      }
      : {
        host: [host!.path, JSON.stringify([plugin!.path]), hello!.path],
        pipe: [pipe!.path],
      },
    peers: {
      ...npm && { npm },
      ...go && { go },
      ...packerVersion && { packer: "packer" },
    },
    missing,
    versions: {
      baler: await versionOf(baler!.path, "version") ?? "",
      deno: Deno.version.deno,
      ...goVersion && { go: goVersion },
      ...packerVersion && { packer: packerVersion },
      ...npm && await npmVersions(),
    },
  };
}

/** One of the programs in this very Deno. */
function sourceOf(name: string): string[] {
  const entry = join(here, "programs", `${name}.ts`);
  return [Deno.execPath(), "run", "--quiet", "--allow-all", entry];
}

/**
 * They run in this very Deno, from source: an older one, which may be in what is
 * compiled here, makes them several times as slow.
 */
async function npmPeers(): Promise<readonly string[]> {
  const directory = join(here, "peers");
  const config = ["--config", join(directory, "deno.json")];
  const entry = join(directory, "main.ts");
  await succeeded([Deno.execPath(), "cache", "--quiet", ...config, entry]);
  return [
    Deno.execPath(),
    "run",
    "--quiet",
    "--allow-all",
    ...config,
    entry,
  ];
}

async function npmVersions(): Promise<Record<string, string>> {
  const { imports } = JSON.parse(
    await Deno.readTextFile(join(here, "peers", "deno.json")),
  ) as { imports: Record<string, string> };
  const versions: Record<string, string> = {};
  for (const target of Object.values(imports)) {
    const [, name, version] = /^npm:(.+)@([^/]+)/.exec(target) ?? [];
    versions[name!] = version!;
  }
  return versions;
}

async function compileGo(): Promise<string> {
  const path = join(out, "go-peer");
  await succeeded(["go", "build", "-o", path, "."], join(here, "go"));
  return path;
}

async function succeeded(
  [command, ...args]: readonly string[],
  cwd?: string,
): Promise<void> {
  const { success, stderr } = await new Deno.Command(command!, {
    args,
    cwd,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** Returns the first line of a program's version output; undefined when it cannot be run. */
async function versionOf(
  command: string,
  ...args: string[]
): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command(command, { args }).output();
    return new TextDecoder().decode(stdout).split("\n")[0];
  } catch {
    return undefined;
  }
}
