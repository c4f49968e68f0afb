// Copies a folder of this machine to another place on it, as rsync does with
// `--links --perms`: modes stay, and a symlink stays one.

import { basename, dirname, join, resolve, SEPARATOR } from "@std/path";
import { osError } from "../shared/os_error.ts";

/** What to copy. */
export interface CopyTreeOptions {
  /** Absolute path of the folder; with a separator at its end only its content is copied. */
  source: string;
  /** Absolute path of the folder that it goes to; made if it is not there. */
  destination: string;
  /** Paths below the source to leave out, with all below them. */
  exclude?: readonly string[] | undefined;
  /** Stops the copying when aborted. */
  signal?: AbortSignal | undefined;
}

/**
 * Copies a folder with all that is in it.
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
  const left = new Set(exclude.map((path) => resolve(from, path)));
  await copyFolder(from, to, left, signal);
}

async function copyFolder(
  from: string,
  to: string,
  exclude: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { mode } = await told("stat", from, Deno.stat(from));
  await told("mkdir", to, Deno.mkdir(to, { recursive: true }));
  const entries = await told(
    "open",
    from,
    Array.fromAsync(Deno.readDir(from)),
  );
  for (const { name, isDirectory, isSymlink, isFile } of entries) {
    signal?.throwIfAborted();
    const [source, target] = [join(from, name), join(to, name)];
    if (exclude.has(source)) continue;
    if (isDirectory) await copyFolder(source, target, exclude, signal);
    else if (isSymlink) await copyLink(source, target);
    else if (isFile) {
      await told("copy", source, Deno.copyFile(source, target));
    } else {
      throw new Error(
        `cannot copy ${source}: it is neither a file, a folder nor a symlink`,
      );
    }
  }
  // At the end, since a folder without the right to write can be copied, too.
  if (mode !== null && Deno.build.os !== "windows") {
    await told("chmod", to, Deno.chmod(to, mode & 0o7777));
  }
}

async function copyLink(from: string, to: string): Promise<void> {
  const target = await told("readlink", from, Deno.readLink(from));
  try {
    await Deno.remove(to);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw osError("remove", to, error);
    }
  }
  const isFolder = Deno.build.os === "windows" &&
    await Deno.stat(resolve(dirname(from), target))
      .then((found) => found.isDirectory, () => false);
  await told(
    "symlink",
    to,
    Deno.symlink(target, to, { type: isFolder ? "dir" : "file" }),
  );
}

function told<T>(action: string, path: string, work: Promise<T>): Promise<T> {
  return work.catch((error) => {
    throw osError(action, path, error);
  });
}
