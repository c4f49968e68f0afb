// The Go programs that tests run baler against: Packer itself and Packer's own plugins, each built from a
// go.mod in this directory and kept in the user's cache. `build.ts` builds them.

import { createHash } from "node:crypto";
import { join } from "@std/path";

/** A Go program that tests use as a peer. */
export interface PeerSource {
  /** The file name of the executable. */
  readonly executable: string;
  /** The version that go.mod pins, as the program itself reports it. */
  readonly version: string;
  /** The package to build. */
  readonly package: string;
}

/** Every peer, by the name of the directory that has its go.mod. */
export const PEERS = {
  "packer-1.9": packer("1.9.4"),
  "packer-1.11": packer("1.11.2"),
  "packer-1.16": packer("1.16.0"),
  "plugin-docker": plugin("docker", "1.1.2"),
  "plugin-qemu": plugin("qemu", "1.0.9"),
  "plugin-ansible": plugin("ansible", "1.0.3"),
  "plugin-amazon": plugin("amazon", "1.3.4"),
  "plugin-twin": {
    executable: "packer-plugin-twin",
    version: "1.0.0",
    package: ".",
  },
  "registry": {
    executable: "registry",
    version: "0.21.6",
    package: "github.com/google/go-containerregistry/cmd/registry",
  },
} as const satisfies Record<string, PeerSource>;

/** The name of a peer. */
export type PeerName = keyof typeof PEERS;

/** A peer as a test finds it: its executable, or the reason why there is none. */
export type Peer =
  | { readonly path: string; readonly missing?: undefined }
  | { readonly path?: undefined; readonly missing: string };

/**
 * Finds a peer in the user's cache. It is never built here: that takes minutes.
 *
 * @param name The peer's directory below tests/peers.
 * @returns The path of its executable, or a reason for a skipped test to show.
 */
export async function peer(name: PeerName): Promise<Peer> {
  const path = await executablePath(name);
  try {
    await Deno.stat(path);
    return { path };
  } catch {
    return {
      missing:
        `${name} is not built; run "deno run -A tests/peers/build.ts ${name}"`,
    };
  }
}

/**
 * Finds Debian's Packer 1.6.6, the last version that serves builders such as docker and qemu with a
 * three-part first line.
 *
 * @returns Its path, or the reason why it cannot be used.
 */
export async function debianPacker(): Promise<Peer> {
  for (const directory of (Deno.env.get("PATH") ?? "").split(":")) {
    const path = join(directory, "packer");
    try {
      const { stdout } = await new Deno.Command(path, {
        args: ["version"],
        env: { CHECKPOINT_DISABLE: "1" },
      }).output();
      if (/\bv1\.6\.6$/m.test(new TextDecoder().decode(stdout))) {
        return { path };
      }
    } catch {
      // Not there, or not a program.
    }
  }
  return {
    missing: 'Packer 1.6.6 is not on PATH; run "apt-get install packer"',
  };
}

/**
 * The path that a peer's executable has once it is built: it changes with the peer's sources, the
 * platform and the flags of the build.
 *
 * @param name The peer's directory below tests/peers.
 * @throws {Error} When neither XDG_CACHE_HOME nor HOME is set.
 */
export async function executablePath(name: PeerName): Promise<string> {
  const directory = join(import.meta.dirname!, name);
  const parts = [Deno.build.target, ...buildFlags(name), PEERS[name].package];
  const files = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
  for (const file of files) {
    parts.push(file, await Deno.readTextFile(join(directory, file)));
  }
  const hash = sha256(parts.join("\0"));
  return join(cacheDirectory(), hash.slice(0, 16), PEERS[name].executable);
}

/**
 * The flags that a peer is built with. A plugin calls itself a pre-release unless its build says otherwise.
 *
 * @param name The peer's directory below tests/peers.
 */
export function buildFlags(name: PeerName): string[] {
  const variable = `${PEERS[name].package}/version.VersionPrerelease`;
  return [
    "-trimpath",
    `-ldflags=-s -w${name.startsWith("plugin-") ? ` -X ${variable}=` : ""}`,
  ];
}

/**
 * Installs a plugin in the hierarchy that Packer 1.7 and later read, with its checksum file, as `packer
 * plugins install` does.
 *
 * @param name The plugin's directory below tests/peers.
 * @param path Its executable.
 * @param pluginDirectory The root of the hierarchy.
 * @returns The path of the installed executable.
 */
export async function installPlugin(
  name: PeerName,
  path: string,
  pluginDirectory: string,
): Promise<string> {
  const { executable, version } = PEERS[name];
  const os = Deno.build.os;
  const arch = Deno.build.arch === "x86_64" ? "amd64" : "arm64";
  const directory = join(
    pluginDirectory,
    "github.com",
    "hashicorp",
    executable.replace("packer-plugin-", ""),
  );
  await Deno.mkdir(directory, { recursive: true });
  const installed = join(
    directory,
    `${executable}_v${version}_x5.0_${os}_${arch}`,
  );
  await Deno.copyFile(path, installed);
  await Deno.writeTextFile(
    `${installed}_SHA256SUM`,
    sha256(await Deno.readFile(path)),
  );
  return installed;
}

function packer(version: string): PeerSource {
  return {
    executable: "packer",
    version,
    package: "github.com/hashicorp/packer",
  };
}

function plugin(name: string, version: string): PeerSource {
  return {
    executable: `packer-plugin-${name}`,
    version,
    package: `github.com/hashicorp/packer-plugin-${name}`,
  };
}

function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

function cacheDirectory(): string {
  const cache = Deno.env.get("XDG_CACHE_HOME");
  if (cache) return join(cache, "baler", "peers");
  const home = Deno.env.get("HOME");
  if (home) return join(home, ".cache", "baler", "peers");
  throw new Error(
    "neither XDG_CACHE_HOME nor HOME is set: set one, to say where Go peers are kept",
  );
}
