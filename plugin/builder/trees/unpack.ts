// Unpacks tar archives into the root directory of this process, which must be the
// tree alone (chroot(2)): no path, symlink or hard link can then lead out of it.

import { dirname } from "node:path/posix";
import {
  changeOwner,
  deviceNumber,
  EPERM,
  FILE_TYPE,
  makeNode,
  setAttribute,
  setTimes,
  SystemCallError,
} from "../../process/system_calls.ts";
import { type ReadEntry, readTar, relativePath } from "./tar_reader.ts";

/** The start of names by which a layer removes what is in the layers below it. */
const WHITEOUT = ".wh.";
/** Removes all that the layers below have in a directory. */
const OPAQUE = ".wh..wh..opq";

/** How archives are unpacked. */
export interface UnpackOptions {
  /** True where files named `.wh.NAME` remove NAME, as in the layers of an OCI image. */
  hasWhiteouts: boolean;
  /** The most that all files may have together, in bytes. */
  maxBytes: number;
  /** The most entries that all archives may have together. */
  maxEntries: number;
  /**
   * True where this process may set no owners: they are remembered, for
   * {@linkcode Unpacker.owners}.
   */
  keepsOwners: boolean;
}

/** Unpacks archives, one over the other. */
export class Unpacker {
  /** The owners and groups that files were to have, by inode; where they cannot be set. */
  readonly owners = new Map<number, readonly [uid: number, gid: number]>();
  /** How many bytes were written. */
  bytes = 0;
  /** How many entries were unpacked. */
  entries = 0;
  /** How many device nodes outside of /dev were left out, since the kernel lets this user make none. */
  devices = 0;
  readonly #options: UnpackOptions;

  /** @param options How they are unpacked. */
  constructor(options: UnpackOptions) {
    this.#options = options;
  }

  /**
   * Unpacks one archive.
   *
   * @param archive Its bytes, not compressed.
   * @throws {Error} When it is damaged, too large, or an entry cannot be made.
   */
  async unpack(archive: AsyncIterable<Uint8Array>): Promise<void> {
    /** What this archive has made: whiteouts are for what was there before. */
    const own = new Set<string>();
    const directories: [path: string, mtime: number][] = [];
    for await (const entry of readTar(archive)) {
      const { maxEntries } = this.#options;
      if (++this.entries > maxEntries) {
        throw new Error(`it has more than ${maxEntries} entries`);
      }
      const path = `/${entry.name}`;
      if (this.#options.hasWhiteouts && this.#whiteOut(path, own)) continue;
      if (!await this.#make(path, entry)) continue;
      for (
        let parent = entry.name;
        parent !== "." && !own.has(parent);
        parent = dirname(parent)
      ) own.add(parent);
      if (entry.type === "directory") directories.push([path, entry.mtime]);
    }
    // What is made in a directory changes its time.
    for (const [path, mtime] of directories.reverse()) {
      if (isDirectory(path)) setTimes(path, mtime);
    }
  }

  /** Removes what a whiteout names; false where it is none. */
  #whiteOut(path: string, own: ReadonlySet<string>): boolean {
    const [, parent = "", name = ""] = /^(.*)\/([^/]*)$/.exec(path) ?? [];
    if (!name.startsWith(WHITEOUT)) return false;
    const remove = (path: string) => {
      const key = relativePath(path);
      if (!own.has(key)) return removeTree(path);
      // This archive has made something in it, and the rest goes.
      if (isDirectory(path)) {
        for (const child of names(path)) remove(`${path}/${child}`);
      }
    };
    if (name === OPAQUE) {
      if (isDirectory(parent || "/")) {
        for (const child of names(parent || "/")) remove(`${parent}/${child}`);
      }
    } else if (!name.startsWith(`${WHITEOUT}${WHITEOUT}`)) {
      remove(`${parent}/${name.slice(WHITEOUT.length)}`);
    }
    return true;
  }

  /** Makes what an entry describes; false where it is left out. */
  async #make(path: string, entry: ReadEntry): Promise<boolean> {
    const isRoot = path === "/";
    if (isRoot && entry.type !== "directory") {
      throw new Error("the root of it is not a directory");
    }
    if (!isRoot) {
      Deno.mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
      const existing = lstat(path);
      if (existing && !(existing.isDirectory && entry.type === "directory")) {
        removeTree(path);
      }
    }
    switch (entry.type) {
      case "directory":
        if (!isDirectory(path)) Deno.mkdirSync(path, { mode: 0o700 });
        break;
      case "symlink":
        Deno.symlinkSync(entry.target, path);
        break;
      case "link":
        try {
          Deno.linkSync(`/${entry.target}`, path);
        } catch (error) {
          throw new Error(
            `cannot link ${path} to /${entry.target}: ${
              (error as Error).message
            }`,
          );
        }
        // Its attributes are those of the file that it is.
        return true;
      case "file":
        await this.#write(path, entry);
        break;
      case "fifo":
        makeNode(path, FILE_TYPE.fifo | 0o600);
        break;
      default:
        if (!this.#makeDevice(path, entry)) return false;
    }
    this.#setAttributes(path, entry);
    return true;
  }

  async #write(path: string, { content, size }: ReadEntry): Promise<void> {
    const { maxBytes } = this.#options;
    this.bytes += size;
    if (this.bytes > maxBytes) {
      throw new Error(`its files have more than ${maxBytes} bytes`);
    }
    using file = Deno.openSync(path, {
      write: true,
      createNew: true,
      mode: 0o600,
    });
    for await (const chunk of content) {
      for (let at = 0; at < chunk.length;) {
        at += file.writeSync(chunk.subarray(at));
      }
    }
  }

  #makeDevice(path: string, { type, major, minor }: ReadEntry): boolean {
    const mode = type === "block"
      ? FILE_TYPE.blockDevice
      : FILE_TYPE.characterDevice;
    try {
      makeNode(path, mode | 0o600, deviceNumber(major, minor));
      return true;
    } catch (error) {
      if (!(error instanceof SystemCallError && error.errno === EPERM)) {
        throw error;
      }
      // Whatever runs the image has a /dev of its own.
      if (!path.startsWith("/dev/")) this.devices++;
      return false;
    }
  }

  #setAttributes(path: string, entry: ReadEntry): void {
    if (this.#options.keepsOwners) {
      const { ino } = Deno.lstatSync(path);
      if (ino !== null) this.owners.set(ino, [entry.uid, entry.gid]);
    } else changeOwner(path, entry.uid, entry.gid);
    if (entry.type !== "symlink") Deno.chmodSync(path, entry.mode);
    const capability = entry.attributes.get(CAPABILITY);
    if (capability && entry.type === "file") {
      setAttribute(path, CAPABILITY, capability);
    }
    if (entry.type !== "directory") setTimes(path, entry.mtime);
  }
}

/** The one extended attribute that is kept: a program's capabilities. */
export const CAPABILITY = "security.capability";

function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function isDirectory(path: string): boolean {
  return lstat(path)?.isDirectory ?? false;
}

function names(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name);
}

function removeTree(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
