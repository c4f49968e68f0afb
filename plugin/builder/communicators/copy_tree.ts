// Copies a directory to another place on this machine, like rsync with
// `--links --perms`: modes are kept, and a symlink stays a symlink.

import { basename, dirname, join, resolve, SEPARATOR } from "@std/path";
import { withOsError } from "../../files/os_error.ts";
import { type RawPath, rawPaths } from "../../files/raw_names.ts";

/** What to copy. */
export interface CopyTreeOptions {
  /** Absolute path of the directory; with a separator at its end only its content is copied. */
  source: string;
  /** Absolute path of the directory to copy into; created if it does not exist. */
  destination: string;
  /** Paths below the source to leave out, with all below them. */
  exclude?: readonly string[] | undefined;
  /** Stops the copy when aborted. */
  signal?: AbortSignal | undefined;
}

/**
 * Copies a directory with all that is in it.
 *
 * @param options What to copy.
 * @throws {Error} When something cannot be read or written; the signal's reason when it is aborted.
 */
export async function copyTree(
  { source, destination, exclude = [], signal }: CopyTreeOptions,
): Promise<void> {
  const from = resolve(source);
  const to = /[/\\]$/.test(source)
    ? resolve(destination)
    : join(destination, basename(from));
  if (to === from || to.startsWith(from + SEPARATOR)) {
    throw new Error(`cannot copy ${from} into itself (${to})`);
  }
  const excluded = new Set(exclude.map((path) => resolve(from, path)));
  const raw = await rawPaths(from, true);
  await copyDirectory(from, to, excluded, signal);
  for (const path of raw) {
    signal?.throwIfAborted();
    if (isExcluded(join(from, path.lossy), excluded, from)) continue;
    await copyRaw(from, to, path);
  }
}

async function copyDirectory(
  from: string,
  to: string,
  excluded: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { mode } = await withOsError("stat", from, () => Deno.stat(from));
  await withOsError("mkdir", to, () => Deno.mkdir(to, { recursive: true }));
  const entries = await withOsError(
    "open",
    from,
    () => Array.fromAsync(Deno.readDir(from)),
  );
  for (const { name, isDirectory, isSymlink, isFile } of entries) {
    signal?.throwIfAborted();
    const [source, target] = [join(from, name), join(to, name)];
    if (excluded.has(source) || await isReplaced(source, name)) continue;
    if (isDirectory) await copyDirectory(source, target, excluded, signal);
    else if (isSymlink) await copyLink(source, target);
    else if (isFile) {
      await withOsError("copy", source, () => Deno.copyFile(source, target));
    } else {
      throw new Error(
        `cannot copy ${source}: it is neither a file, a directory nor a symlink`,
      );
    }
  }
  // At the end, so that a directory without write permission can be copied, too.
  if (mode !== null && Deno.build.os !== "windows") {
    await withOsError("chmod", to, () => Deno.chmod(to, mode & 0o7777));
  }
}

/** True for the name that stands for one that is not UTF-8: copyRaw() copies that. */
async function isReplaced(path: string, name: string): Promise<boolean> {
  if (!name.includes("\uFFFD")) return false;
  return await Deno.lstat(path).then(() => false, () => true);
}

function isExcluded(
  path: string,
  excluded: ReadonlySet<string>,
  root: string,
): boolean {
  for (let at = path; at !== root && at !== dirname(at); at = dirname(at)) {
    if (excluded.has(at)) return true;
  }
  return false;
}

async function copyLink(from: string, to: string): Promise<void> {
  const target = await withOsError("readlink", from, () => Deno.readLink(from));
  await withOsError("remove", to, async () => {
    try {
      await Deno.remove(to);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  });
  const isDirectory = Deno.build.os === "windows" &&
    await Deno.stat(resolve(dirname(from), target))
      .then((found) => found.isDirectory, () => false);
  await withOsError(
    "symlink",
    to,
    () => Deno.symlink(target, to, { type: isDirectory ? "dir" : "file" }),
  );
}

// An argument of a command is UTF-8 as well, so the script makes the name itself,
// from octal escapes.
const COPY = `
name=$(printf '%b.' "$3")
name=\${name%.}
from=$1/$name
to=$2/$name
if [ -d "$from" ] && [ ! -L "$from" ]; then
  mkdir -p -- "$to" || exit
  exec cp -RPp -- "$from/." "$to"
fi
if [ -d "$to" ] && [ ! -L "$to" ]; then
  echo "there is a directory of this name" >&2
  exit 1
fi
[ ! -L "$from" ] || rm -f -- "$to"
exec cp -RPp -- "$from" "$to"
`;

async function copyRaw(
  from: string,
  to: string,
  { bytes, shown }: RawPath,
): Promise<void> {
  const escaped = Array.from(
    bytes,
    (byte) => `\\0${byte.toString(8).padStart(3, "0")}`,
  ).join("");
  const { success, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", COPY, "baler-copy", from, to, escaped],
    stdin: "null",
    stdout: "null",
  }).output();
  if (success) return;
  const reason = new TextDecoder().decode(stderr).trim();
  throw new Error(
    `cannot copy ${join(from, shown)}, whose name is not UTF-8: ${reason}`,
  );
}
