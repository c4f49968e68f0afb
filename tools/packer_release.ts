// A plugin compiled for Packer: the executable under the name that Packer finds it by, and the files
// of a release that `packer init` downloads.

import { createHash } from "node:crypto";
import { basename, join } from "@std/path";
import { zip } from "../plugin/bundled/archive/zip.ts";
import type { compile } from "./compile.ts";
import type { Permissions } from "./permissions.ts";
import { pluginExecutable } from "./plugin_config.ts";

/** Where {@linkcode compileForPacker} writes, and for whom. */
export interface PackerReleaseOptions {
  /** The directory that the files are written to; the plugin's own unless given. */
  readonly out?: string;
  /** The platforms, as `deno compile` names them; this one unless given. */
  readonly targets?: readonly string[];
  /** {@linkcode compile}, which a module that it is itself run by cannot import. */
  readonly compile: typeof compile;
  /** Called with a line for each step; `console.error` unless given. */
  readonly say?: (line: string) => void;
}

/** The files of a plugin for one platform; absolute paths. */
export interface PackerRelease {
  /** `packer plugins install --path` takes it. */
  readonly executable: string;
  /** Stands beside the executable in Packer's plugin directory. */
  readonly checksum: string;
  /** Holds the executable; an asset of a release. */
  readonly zip: string;
}

/** The version of Packer's plugin interface. */
const API_VERSION = "x5.0";

/**
 * What Packer's wire needs: a port on loopback, and the variables with which Packer starts a plugin.
 */
const PACKER_PERMISSIONS: Permissions = {
  net: ["127.0.0.1"],
  env: [
    "PACKER_PLUGIN_MAGIC_COOKIE",
    "PACKER_PLUGIN_MIN_PORT",
    "PACKER_PLUGIN_MAX_PORT",
    "PACKER_RUN_UUID",
    "BALER_PACKER_API",
  ],
};

/** Packer's names of the platforms. */
const PLATFORMS: Readonly<Record<string, string>> = {
  "x86_64-unknown-linux-gnu": "linux_amd64",
  "aarch64-unknown-linux-gnu": "linux_arm64",
  "x86_64-apple-darwin": "darwin_amd64",
  "aarch64-apple-darwin": "darwin_arm64",
  "x86_64-pc-windows-msvc": "windows_amd64",
};

/** An executable is hardly smaller at a higher level, and takes several times as long. */
const COMPRESSION_LEVEL = 6;

/**
 * Compiles a plugin for Packer. It gets the permissions that Packer's wire needs beside those of its
 * deno.json.
 *
 * @param directory Absolute path of the plugin's directory.
 * @returns The files for each platform.
 * @throws {TypeError} When the plugin's name or version is none that Packer accepts.
 * @throws {Error} When it cannot be compiled or does not describe itself.
 */
export async function compileForPacker(
  directory: string,
  { out = directory, targets = [], compile, say = console.error }:
    PackerReleaseOptions,
): Promise<PackerRelease[]> {
  const name = packerName(basename(directory));
  const program = await pluginExecutable(
    directory,
    `packer-plugin-${name}`,
    PACKER_PERMISSIONS,
  );
  const own = Deno.build.target;
  const wanted = targets.length === 0 ? [own] : targets;
  const temporary = await Deno.makeTempDir({
    dir: directory,
    prefix: ".packer-",
  });
  try {
    // The one for this platform describes the plugin, which the others cannot here.
    const compiled = await compile([program], {
      out: temporary,
      targets: [undefined, ...wanted.filter((target) => target !== own)],
      say: (line) => say(line.replace(`${temporary}/`, "")),
    });
    const version = await versionOf(compiled[0]!.path);
    const releases: PackerRelease[] = [];
    const sums: string[] = [];
    await Deno.mkdir(out, { recursive: true });
    for (const { path, target } of compiled) {
      if (!wanted.includes(target ?? own)) continue;
      const release = await writeRelease(
        path,
        out,
        `packer-plugin-${name}_v${version}_${API_VERSION}_${
          PLATFORMS[target ?? own]
        }`,
      );
      releases.push(release);
      sums.push(`${await sha256(release.zip)}  ${basename(release.zip)}\n`);
      say(`${release.executable}\n${release.zip}`);
    }
    const sumsPath = join(out, `packer-plugin-${name}_v${version}_SHA256SUMS`);
    await Deno.writeTextFile(sumsPath, sums.join(""));
    say(sumsPath);
    return releases;
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}

/**
 * What Packer calls a plugin: its directory's name without the prefixes of executables.
 *
 * @param directoryName Such as `packer-plugin-greet`, `baler-builder-greet` or `greet`.
 * @throws {TypeError} When Packer takes no such name.
 */
export function packerName(directoryName: string): string {
  const name = directoryName.replace(
    /^(packer-plugin-|baler-(builder|provisioner|post-processor)-|baler-)/,
    "",
  );
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) || name.startsWith("packer-")) {
    throw new TypeError(
      `Packer accepts no plugin called "${name}": name its directory with lower-case letters, digits and single hyphens`,
    );
  }
  return name;
}

/** Asks a plugin for its version. */
async function versionOf(path: string): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(path, {
    args: ["describe"],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (code !== 0) {
    throw new Error(
      `the plugin's "describe" failed with exit code ${code}: ${
        decoder.decode(stderr).trim()
      }`,
    );
  }
  const { version } = JSON.parse(decoder.decode(stdout)) as {
    version: string;
  };
  if (
    !/^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$/
      .test(version)
  ) {
    throw new TypeError(
      `Packer accepts no version "${version}": give serve() a version such as { version: "1.2.3" }`,
    );
  }
  return version;
}

async function writeRelease(
  compiled: string,
  out: string,
  name: string,
): Promise<PackerRelease> {
  const fileName = compiled.endsWith(".exe") ? `${name}.exe` : name;
  const executable = join(out, fileName);
  await Deno.copyFile(compiled, executable);
  const checksum = `${executable}_SHA256SUM`;
  await Deno.writeTextFile(checksum, `${await sha256(executable)}\n`);
  const archive = join(out, `${name}.zip`);
  const { size } = await Deno.stat(executable);
  const file = await Deno.create(archive);
  const content = () => chunksOf(executable);
  const entry = { path: fileName, mode: 0o755, size, content };
  await ReadableStream.from(zip([entry], COMPRESSION_LEVEL))
    .pipeTo(file.writable);
  return { executable, checksum, zip: archive };
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  yield* (await Deno.open(path)).readable;
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of chunksOf(path)) hash.update(chunk);
  return hash.digest("hex");
}
