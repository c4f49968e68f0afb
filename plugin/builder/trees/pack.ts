// Packs the root of this process, a tree, into a tar archive: all of it, or what
// has changed since it was unpacked, as a layer of an OCI image. The same tree
// makes the same bytes.

import {
  changeTime,
  deviceParts,
  getAttribute,
} from "../../process/system_calls.ts";
import { tarEnd, tarHeader, tarPadding } from "./tar_writer.ts";
import type { TarEntry, TarType } from "./tar_reader.ts";
import { CAPABILITY } from "./unpack.ts";

const CHUNK_BYTES = 256 * 1024;

/** What is remembered of a file, to know later whether it has changed. */
export type FileState = readonly [
  path: string,
  ino: number,
  changed: string,
  size: number,
  mode: number,
  uid: number,
  gid: number,
];

/** What a tree was like when it was unpacked. */
export interface Snapshot {
  /** Its files. */
  files: FileState[];
  /** True where the owners are those of the source, which this user could not set. */
  keepsOwners: boolean;
}

/**
 * Records what the tree is like.
 *
 * @param owners The owners that files were to have, by inode, where they could
 * not be set.
 */
export function snapshot(
  owners: ReadonlyMap<number, readonly [number, number]> | undefined,
): Snapshot {
  const files: FileState[] = [];
  for (const { path, info } of walk("")) {
    const [uid, gid] = owners?.get(info.ino ?? 0) ??
      (owners ? [0, 0] : [info.uid ?? 0, info.gid ?? 0]);
    files.push([
      ...[path, info.ino ?? 0, changeTime(`/${path}`), info.size] as const,
      ...[info.mode ?? 0, uid, gid] as const,
    ]);
  }
  return { files, keepsOwners: owners !== undefined };
}

/** How a tree is packed. */
export interface PackOptions {
  /** What it was like: for the owners that the source has, and for the difference. */
  before: Snapshot;
  /** True for what has changed alone, with whiteouts for what is gone. */
  isDifference: boolean;
  /** No time is later than this, in seconds; undefined for the times as they are. */
  maxTime: number | undefined;
}

/**
 * Packs the tree.
 *
 * @param options What of it.
 * @throws {Error} When something in it cannot be read, or changes meanwhile.
 */
export function* pack(
  { before, isDifference, maxTime }: PackOptions,
): Generator<Uint8Array<ArrayBuffer>> {
  const known = new Map(before.files.map((file) => [file[0], file]));
  const ownerOf = before.keepsOwners
    ? ({ path, info }: Found) => {
      const [, ino, , , , uid = 0, gid = 0] = known.get(path) ?? [];
      return ino === info.ino ? [uid, gid] as const : [0, 0] as const;
    }
    : ({ info }: Found) => [info.uid ?? 0, info.gid ?? 0] as const;
  const links = new Map<number, string>();
  for (const one of isDifference ? difference(known, ownerOf) : walk("")) {
    if ("removed" in one) {
      yield tarHeader(whiteout(one.removed, maxTime ?? 0));
      continue;
    }
    const { path, info } = one;
    const type = typeOf(info);
    // A socket is a process's, and no format of archives has it.
    if (type === undefined) continue;
    const [uid, gid] = ownerOf(one);
    const mtime = Math.floor((info.mtime?.getTime() ?? 0) / 1000);
    const [major, minor] = type === "character" || type === "block"
      ? deviceParts(info.rdev ?? 0)
      : [0, 0];
    const entry: TarEntry = {
      ...{ type, name: path, mode: modeOf(info), uid, gid, major, minor },
      mtime: maxTime === undefined ? mtime : Math.min(mtime, maxTime),
      size: type === "file" ? info.size : 0,
      target: type === "symlink" ? Deno.readLinkSync(`/${path}`) : "",
      attributes: type === "file" ? capabilityOf(`/${path}`) : NONE,
    };
    const ino = info.ino ?? 0;
    const first = type !== "directory" && (info.nlink ?? 1) > 1
      ? links.get(ino)
      : undefined;
    if (first !== undefined) {
      yield tarHeader({
        ...entry,
        ...{ type: "link", size: 0, target: first, attributes: NONE },
      });
      continue;
    }
    if ((info.nlink ?? 1) > 1) links.set(ino, path);
    yield tarHeader(entry);
    if (type === "file") yield* contentOf(path, info.size);
  }
  yield tarEnd();
}

const NONE: TarEntry["attributes"] = new Map();

function capabilityOf(path: string): TarEntry["attributes"] {
  const value = getAttribute(path, CAPABILITY);
  return value === undefined ? NONE : new Map([[CAPABILITY, value]]);
}

function* contentOf(
  path: string,
  size: number,
): Generator<Uint8Array<ArrayBuffer>> {
  using file = Deno.openSync(`/${path}`);
  let left = size;
  while (left > 0) {
    const chunk = new Uint8Array(Math.min(left, CHUNK_BYTES));
    const count = file.readSync(chunk);
    if (count === null) {
      throw new Error(`/${path} has become smaller while it was read`);
    }
    left -= count;
    yield chunk.subarray(0, count);
  }
  yield tarPadding(size);
}

interface Found {
  path: string;
  info: Deno.FileInfo;
}

/** All files, in the order of their names, each directory before what is in it. */
function* walk(path: string): Generator<Found> {
  const info = Deno.lstatSync(`/${path}`);
  yield { path, info };
  if (!info.isDirectory) return;
  const names = [...Deno.readDirSync(`/${path}`)].map(({ name }) => name);
  for (const name of names.sort()) {
    const child = path === "" ? name : `${path}/${name}`;
    try {
      yield* walk(child);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new Error(
        `/${child} is gone, or its name is not UTF-8`,
        { cause: error },
      );
    }
  }
}

/**
 * What has changed, each after the directories that it is in, and what is gone.
 * A directory has changed when its mode or its owner has: its times follow from
 * what is in it.
 */
function* difference(
  known: ReadonlyMap<string, FileState>,
  ownerOf: OwnerOf,
): Generator<Found | { removed: string }> {
  const found = [...walk("")];
  const present = new Map(found.map((one) => [one.path, one.info]));
  const wanted = new Set<string>();
  const want = (path: string) => {
    for (; !wanted.has(path); path = parentOf(path)) wanted.add(path);
  };
  for (const one of found) {
    if (hasChanged(known.get(one.path), one, ownerOf)) want(one.path);
  }
  const removed = new Map<string, string[]>();
  for (const path of known.keys()) {
    const parent = parentOf(path);
    if (present.has(path) || !present.get(parent)?.isDirectory) continue;
    // What was replaced by a directory had nothing in it.
    removed.set(parent, [...removed.get(parent) ?? [], path]);
    want(parent);
  }
  for (const one of found) {
    if (!wanted.has(one.path)) continue;
    yield one;
    for (const path of removed.get(one.path)?.sort() ?? []) {
      yield { removed: path };
    }
  }
}

function hasChanged(
  before: FileState | undefined,
  found: Found,
  ownerOf: OwnerOf,
): boolean {
  if (before === undefined) return true;
  const { info } = found;
  const [, ino, changed, size, mode, ...ids] = before;
  if (!info.isDirectory) {
    return ino !== info.ino || changed !== changeTime(`/${found.path}`) ||
      size !== info.size;
  }
  const [uid, gid] = ownerOf(found);
  return mode !== info.mode || uid !== ids[0] || gid !== ids[1];
}

/** Returns a file's owner and group, those of the source where they could not be set. */
type OwnerOf = (found: Found) => readonly [uid: number, gid: number];

/** The directory of a path below the root; that of a name is the root itself, `""`. */
function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0));
}

function whiteout(path: string, mtime: number): TarEntry {
  const parent = parentOf(path);
  const name = `.wh.${path.slice(parent === "" ? 0 : parent.length + 1)}`;
  return {
    ...{ type: "file", name: parent ? `${parent}/${name}` : name, mode: 0o644 },
    ...{ uid: 0, gid: 0, mtime, size: 0, target: "", major: 0, minor: 0 },
    attributes: NONE,
  };
}

function typeOf(info: Deno.FileInfo): TarType | undefined {
  if (info.isFile) return "file";
  if (info.isDirectory) return "directory";
  if (info.isSymlink) return "symlink";
  if (info.isFifo) return "fifo";
  if (info.isCharDevice) return "character";
  return info.isBlockDevice ? "block" : undefined;
}

function modeOf({ mode }: Deno.FileInfo): number {
  return (mode ?? 0) & 0o7777;
}
