// Packer's plugin directory: the hierarchy in which `packer init` and `packer plugins install` put plugins,
// each with its checksum.

import { basename, join, relative } from "@std/path";
import { isExecutable } from "./packer_adapter.ts";

/** A plugin that is installed. */
export interface InstalledPlugin {
  /** The path of its executable. */
  readonly path: string;
  /** Its name, for example `"docker"`. */
  readonly name: string;
  /** Its version, for example `"1.1.2"`. */
  readonly version: string;
  /** Its source, for example `"github.com/hashicorp/docker"`. */
  readonly origin: string;
}

/** The deepest hierarchy that Packer reads. */
const MAX_DEPTH = 16;

/** The names of plugins with the API version that baler supports: `5.0`. */
const FILE =
  /^packer-plugin-([^_]+)_v(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)_x5\.0_([a-z0-9]+)_([a-z0-9]+)(?:\.exe)?$/;

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  aarch64: "arm64",
};

/**
 * Returns the plugins of a plugin directory that can run here, the newest version of each first.
 *
 * @param directory The root of the hierarchy; a directory that cannot be read has no plugins.
 */
export function installedPlugins(directory: string): InstalledPlugin[] {
  const found: InstalledPlugin[] = [];
  const visit = (path: string, depth: number) => {
    let entries: Deno.DirEntry[];
    try {
      entries = [...Deno.readDirSync(path)];
    } catch {
      return;
    }
    for (const { name, isDirectory } of entries) {
      if (isDirectory) {
        if (depth < MAX_DEPTH) visit(join(path, name), depth + 1);
        continue;
      }
      const [, plugin, version, os, arch] = FILE.exec(name) ?? [];
      // Packer ignores files at the root: they were not installed.
      if (plugin === undefined || depth === 0) continue;
      if (os !== Deno.build.os) continue;
      if (arch !== ARCHITECTURES[Deno.build.arch]) continue;
      found.push({
        path: join(path, name),
        name: plugin,
        version: version!,
        origin: relative(directory, path).replaceAll("\\", "/"),
      });
    }
  };
  visit(directory, 0);
  return found.sort((a, b) => compareVersions(b.version, a.version));
}

/**
 * Returns why an installed plugin cannot be used: its checksum is missing or does not match.
 *
 * @param path The path of its executable.
 * @returns A predicate whose subject is the path; undefined when the plugin can be used.
 */
export async function installedObstacle(
  path: string,
): Promise<string | undefined> {
  if (!isExecutable(path)) {
    return `is not executable: run "chmod +x ${path}"`;
  }
  const file = `${path}_SHA256SUM`;
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch {
    return `has no checksum: there is no file ${
      basename(file)
    } next to it; "packer plugins install" writes it`;
  }
  const expected = text.trim();
  if (!/^[0-9a-f]{64}$/i.test(expected)) {
    return `has no valid checksum: ${basename(file)} is not a SHA-256 sum`;
  }
  const actual = await sha256(path);
  return actual === expected.toLowerCase()
    ? undefined
    : `has the wrong checksum: its SHA-256 sum is ${actual}, not the one in ${
      basename(file)
    }; install it again`;
}

/** Hashes a file in chunks: a plugin can have hundreds of megabytes. */
async function sha256(path: string): Promise<string> {
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  const buffer = new Uint8Array(1024 * 1024);
  for (let count; (count = await file.read(buffer)) !== null;) {
    hash.update(buffer.subarray(0, count));
  }
  return hash.digest("hex");
}

/**
 * Compares two versions by semver's rules.
 *
 * @returns Less than 0 when `a` is older than `b`, greater when it is newer.
 */
export function compareVersions(a: string, b: string): number {
  const [numbersA, preA] = split(a);
  const [numbersB, preB] = split(b);
  const byNumber = compareLists(numbersA, numbersB);
  if (byNumber !== 0) return byNumber;
  // A pre-release comes before its release.
  if (preA.length === 0 || preB.length === 0) return preB.length - preA.length;
  return compareLists(preA, preB);
}

function split(version: string): [string[], string[]] {
  const [, numbers, pre] = /^([^-]*)(?:-(.*))?$/s.exec(version)!;
  return [numbers!.split("."), pre === undefined ? [] : pre.split(".")];
}

function compareLists(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [one, other] = [a[index], b[index]];
    if (one === other) continue;
    if (one === undefined) return -1;
    if (other === undefined) return 1;
    const isNumber = (text: string) => /^\d+$/.test(text);
    if (isNumber(one) && isNumber(other)) return Number(one) - Number(other);
    // Numbers come before words.
    if (isNumber(one) !== isNumber(other)) return isNumber(one) ? -1 : 1;
    return one < other ? -1 : 1;
  }
  return 0;
}
