// A directory tree as a tar archive, for communicators: packed from this
// machine, and unpacked into it with nothing written outside the destination.

import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { basename, join, resolve } from "@std/path";
import type { DirectoryTransfer } from "../../contract/communicator.ts";

/** What is in a directory, each directory before what is in it. */
export type TreeEntry =
  & {
    /** The entry's path below the destination, with `/` between its parts. */
    name: string;
    /** Where it is on this machine. */
    path: string;
  }
  & (
    | { kind: "directory"; mode: number }
    | { kind: "file"; mode: number; size: number }
    | { kind: "symlink"; target: string }
  );

/**
 * Lists a directory in the order of its names.
 *
 * @param transfer What is copied: of `source` with a `/` at its end the content,
 * otherwise the directory itself; without what `exclude` names.
 * @throws {Error} When something cannot be read, or is neither a file, a
 * directory nor a symlink.
 */
export async function* walkTree(
  { source, exclude = [], signal }: Pick<
    DirectoryTransfer,
    "source" | "exclude" | "signal"
  >,
): AsyncGenerator<TreeEntry> {
  const root = resolve(source);
  const excluded = new Set(exclude.map((path) => resolve(root, path)));
  const prefix = /[/\\]$/.test(source) ? "" : basename(root);
  if (!(await Deno.stat(root)).isDirectory) {
    throw new Error(`${source} is not a directory`);
  }
  yield* walk(root, prefix, excluded, signal);
}

async function* walk(
  path: string,
  name: string,
  excluded: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): AsyncGenerator<TreeEntry> {
  signal?.throwIfAborted();
  const { mode } = await Deno.stat(path);
  if (name !== "") {
    yield { name, path, kind: "directory", mode: (mode ?? 0o755) & 0o7777 };
  }
  const names = (await Array.fromAsync(Deno.readDir(path), ({ name }) => name))
    .sort();
  for (const child of names) {
    const childPath = join(path, child);
    if (excluded.has(childPath)) continue;
    const childName = name === "" ? child : `${name}/${child}`;
    const info = await Deno.lstat(childPath);
    if (info.isDirectory) {
      yield* walk(childPath, childName, excluded, signal);
    } else if (info.isSymlink) {
      yield {
        name: childName,
        path: childPath,
        kind: "symlink",
        target: await Deno.readLink(childPath),
      };
    } else if (info.isFile) {
      yield {
        name: childName,
        path: childPath,
        kind: "file",
        mode: (info.mode ?? 0o644) & 0o7777,
        size: info.size,
      };
    } else throw notCopied(childPath);
  }
}

function notCopied(path: string): Error {
  return new Error(
    `cannot copy ${path}: it is neither a file, a directory nor a symlink`,
  );
}

/**
 * Packs a directory into a tar archive.
 *
 * @param transfer What is copied, as for {@linkcode walkTree}.
 * @returns The archive, and a check that throws what went wrong while it was made.
 * @throws {Error} When the directory cannot be listed.
 */
export async function packTree(
  transfer: DirectoryTransfer,
): Promise<{ archive: ReadableStream<Uint8Array>; check(): void }> {
  const tar = await import("tar");
  const root = resolve(transfer.source);
  const isContent = /[/\\]$/.test(transfer.source);
  const cwd = isContent ? root : resolve(root, "..");
  const names: string[] = [];
  for await (const { name } of walkTree(transfer)) names.push(`./${name}`);
  let failure: unknown;
  const pack = tar.create(
    {
      cwd,
      noDirRecurse: true,
      strict: true,
      onWriteEntry: ({ stat }) => {
        // Owners are the machine's business: files belong to who unpacks them.
        if (stat) stat.uid = stat.gid = 0;
      },
    },
    names.length > 0 ? names : ["."],
  );
  pack.on("error", (error: unknown) => failure ??= error);
  return {
    archive: Readable.toWeb(
      Readable.from(pack),
    ) as unknown as ReadableStream<Uint8Array>,
    check() {
      if (failure !== undefined) throw failure;
    },
  };
}

/**
 * Unpacks a tar archive into a directory of this machine.
 *
 * @param transfer Where to, and what of it is left out.
 * @returns Where the archive goes, and what to call when it is complete:
 * `finish()` throws when something could not be unpacked.
 */
export async function unpackTree(
  { destination, exclude = [], source }: DirectoryTransfer,
): Promise<{
  archive: WritableStream<Uint8Array>;
  finish(error?: unknown): Promise<void>;
}> {
  const tar = await import("tar");
  await Deno.mkdir(destination, { recursive: true });
  const cwd = await Deno.realPath(destination);
  const prefix = source.endsWith("/") ? "" : basename(source);
  const excluded = exclude.map((path) => join(prefix, path));
  let failure: unknown;
  // The library lets the owner into every directory; the modes follow.
  const directories: [path: string, mode: number][] = [];
  const unpack = tar.extract({
    cwd,
    preserveOwner: false,
    filter: (path) =>
      !excluded.some((one) =>
        isAtOrBelow(one, join(path.replace(/^\.\//, "")))
      ),
    onReadEntry: ({ type, path, mode }) => {
      if (type === "Directory" && mode !== undefined) {
        directories.push([resolve(join(cwd, path)), mode & 0o777]);
      }
    },
    onwarn: (code, message) => {
      failure ??= new Error(`cannot download all of ${source}: ${message}`, {
        cause: code,
      });
    },
  });
  const done = Promise.withResolvers<void>();
  unpack.on("close", () => done.resolve());
  unpack.on("error", (error: unknown) => {
    failure ??= error;
    done.resolve();
  });
  let isEnded = false;
  return {
    archive: new WritableStream({
      async write(chunk) {
        if (failure !== undefined) throw failure;
        const { buffer, byteOffset, byteLength } = chunk;
        if (unpack.write(Buffer.from(buffer, byteOffset, byteLength))) return;
        const drained = Promise.withResolvers<void>();
        unpack.once("drain", drained.resolve);
        await Promise.race([drained.promise, done.promise]);
      },
    }),
    async finish(error) {
      if (isEnded) return;
      isEnded = true;
      // Also after a failure, so that the files that are open are closed.
      unpack.end();
      if (error !== undefined) return;
      await done.promise;
      if (failure !== undefined) throw failure;
      if (Deno.build.os === "windows") return;
      for (const [path, mode] of directories.reverse()) {
        // An archive may name what was not unpacked, or lead out by a symlink.
        const real = await Deno.realPath(path).catch(() => undefined);
        if (real === path && isAtOrBelow(cwd, path)) {
          await Deno.chmod(path, mode);
        }
      }
    },
  };
}

function isAtOrBelow(parent: string, path: string): boolean {
  return path === parent || path.startsWith(`${parent}/`);
}
