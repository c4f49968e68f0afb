// Reads a tar archive of a root file system: POSIX's (ustar, pax) and GNU's
// formats, with extended attributes as bytes, which npm's libraries decode as
// text. Source: pax(1) of POSIX; "Basic Tar Format" of GNU tar's manual.

import { ByteReader } from "./byte_reader.ts";

/** The types of entry. */
export type TarType =
  | "file"
  | "directory"
  | "symlink"
  | "link"
  | "fifo"
  | "character"
  | "block";

/** What an archive has of a file, beside its content. */
export interface TarEntry {
  /** Its type; `link` is a hard link to an entry before. */
  type: TarType;
  /** Its path below the root, without `.` and `..`; empty for the root itself. */
  name: string;
  /** The permission bits. */
  mode: number;
  /** The owner's number. */
  uid: number;
  /** The group's number. */
  gid: number;
  /** The time of its last change, in seconds. */
  mtime: number;
  /** The size of its content, in bytes. */
  size: number;
  /** Where a symlink leads, or the path of the entry that a hard link is to. */
  target: string;
  /** A device's major number. */
  major: number;
  /** A device's minor number. */
  minor: number;
  /** The extended attributes, by name. */
  attributes: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** An entry that is being read. */
export interface ReadEntry extends TarEntry {
  /** Its content, to be read before the next entry. */
  content: AsyncIterable<Uint8Array>;
}

const BLOCK_BYTES = 512;
/** The most that the records before one entry may have, in bytes. */
const MAX_RECORDS_BYTES = 1024 * 1024;
/** The longest path, in bytes: `PATH_MAX` of Linux. */
const MAX_PATH_BYTES = 4096;
const CHUNK_BYTES = 64 * 1024;

const TYPES: Readonly<Record<string, TarType>> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  "1": "link",
  "2": "symlink",
  "3": "character",
  "4": "block",
  "5": "directory",
  "6": "fifo",
};

const XATTR = "SCHILY.xattr.";
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Records of pax, by key. */
type Records = Map<string, Uint8Array<ArrayBuffer>>;

/**
 * Reads an archive.
 *
 * @param chunks Its bytes, not compressed.
 * @throws {Error} When it is damaged, ends early, or has what cannot be unpacked
 * on Linux: with the entry's name, where there is one.
 */
export async function* readTar(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<ReadEntry> {
  const reader = new ByteReader(chunks);
  const global: Records = new Map();
  let local: Records = new Map();
  for (;;) {
    const block = await reader.read(BLOCK_BYTES);
    if (block === undefined) return;
    if (block.every((byte) => byte === 0)) break;
    checkSum(block);
    const flag = String.fromCharCode(block[156]!);
    const size = number(block, 124, 12);
    if ("xgLK".includes(flag)) {
      if (size > MAX_RECORDS_BYTES) {
        throw new Error(`a header of it has ${size} bytes`);
      }
      const content = await reader.read(size) ?? new Uint8Array();
      await reader.skip(paddingOf(size));
      if (flag === "g") readRecords(content, global);
      else if (flag === "x") readRecords(content, local);
      else local.set(flag === "L" ? "path" : "linkpath", untilNul(content));
      continue;
    }
    const entry = entryOf(block, flag, new Map([...global, ...local]));
    local = new Map();
    let left = entry.size;
    yield {
      ...entry,
      content: {
        async *[Symbol.asyncIterator]() {
          while (left > 0) {
            const part = await reader.readSome(Math.min(left, CHUNK_BYTES));
            if (part === undefined) {
              throw new Error(`it ends in the middle of ${entry.name}`);
            }
            left -= part.length;
            yield part;
          }
        },
      },
    };
    await reader.skip(left + paddingOf(entry.size));
  }
  // Whoever writes the archive is not to fail for a closed pipe.
  while (await reader.readSome(CHUNK_BYTES) !== undefined);
}

function entryOf(
  block: Uint8Array,
  flag: string,
  records: Records,
): TarEntry {
  const textOf = (key: string) => {
    const value = records.get(key);
    return value && decode(value);
  };
  const numberOf = (key: string, at: number, length: number) => {
    const value = textOf(key);
    if (value === undefined) return number(block, at, length);
    if (!/^-?\d+(\.\d*)?$/.test(value)) {
      throw new Error(`"${value}" is no ${key}`);
    }
    return Math.floor(Number(value));
  };
  // GNU's format has other fields where POSIX's has the prefix.
  const isPosix = field(block, 257, 6) === "ustar" && block[262] === 0;
  const shortPath = () => {
    const prefix = isPosix ? field(block, 345, 155) : "";
    return `${prefix && `${prefix}/`}${field(block, 0, 100)}`;
  };
  const path = textOf("path") ?? shortPath();
  const name = relativePath(path);
  if ([...records.keys()].some((key) => key.startsWith("GNU.sparse."))) {
    throw new Error(`${name} is a sparse file, which cannot be unpacked`);
  }
  const type = TYPES[flag];
  if (type === undefined) {
    throw new Error(`${name} has an unknown type (${JSON.stringify(flag)})`);
  }
  const isDirectory = type === "directory" ||
    type === "file" && path.endsWith("/");
  const link = textOf("linkpath") ?? field(block, 157, 100);
  const attributes = [...records].flatMap(([key, value]) =>
    key.startsWith(XATTR) ? [[key.slice(XATTR.length), value] as const] : []
  );
  const size = numberOf("size", 124, 12);
  if (size < 0) throw new Error(`${name} has a negative size`);
  return {
    type: isDirectory ? "directory" : type,
    name,
    mode: number(block, 100, 8) & 0o7777,
    uid: owner(numberOf("uid", 108, 8), name),
    gid: owner(numberOf("gid", 116, 8), name),
    mtime: numberOf("mtime", 136, 12),
    size: type === "file" && !isDirectory ? size : 0,
    target: type === "link" ? relativePath(link) : link,
    major: type === "character" || type === "block" ? number(block, 329, 8) : 0,
    minor: type === "character" || type === "block" ? number(block, 337, 8) : 0,
    attributes: new Map(attributes),
  };
}

function owner(id: number, name: string): number {
  if (id < 0 || id > 0xffff_fffe) {
    throw new Error(`the owner of ${name} has the number ${id}`);
  }
  return id;
}

/**
 * A path below the root.
 *
 * @param path The path in an archive.
 * @returns It without a `/` at either end, and without `.`.
 * @throws {Error} When a part of it is `..`, which no honest archive has.
 */
export function relativePath(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) {
    throw new Error(`${JSON.stringify(path)} leads out of the root`);
  }
  if (path.includes("\0") || path.length > MAX_PATH_BYTES) {
    throw new Error(`${JSON.stringify(path.slice(0, 100))} is not a path`);
  }
  return parts.join("/");
}

function readRecords(content: Uint8Array<ArrayBuffer>, into: Records): void {
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(0x20, at);
    const digits = space < 0 ? "" : decode(content.subarray(at, space));
    const end = at + Number(digits);
    const equals = content.indexOf(0x3d, space);
    if (
      !/^\d{1,7}$/.test(digits) || end > content.length || equals < 0 ||
      equals >= end || content[end - 1] !== 0x0a
    ) throw new Error("a header of it is damaged");
    const key = decode(content.subarray(space + 1, equals));
    const value = content.slice(equals + 1, end - 1);
    if (value.length === 0) into.delete(key);
    else into.set(key, value);
    at = end;
  }
}

function checkSum(block: Uint8Array): void {
  let sum = 0;
  for (const [at, byte] of block.entries()) {
    sum += at >= 148 && at < 156 ? 0x20 : byte;
  }
  if (sum !== number(block, 148, 8)) {
    throw new Error("it is not a tar archive, or damaged");
  }
}

/** A number, in octal digits or, as GNU writes large ones, in binary. */
function number(block: Uint8Array, at: number, length: number): number {
  const bytes = block.subarray(at, at + length);
  let value: number;
  if (bytes[0]! & 0x80) {
    let wide = BigInt.asIntN(7, BigInt(bytes[0]! & 0x7f));
    for (const byte of bytes.subarray(1)) wide = wide << 8n | BigInt(byte);
    value = Number(wide);
  } else {
    const digits = field(block, at, length).trim();
    if (!/^[0-7]*$/.test(digits)) {
      throw new Error("it is not a tar archive, or damaged");
    }
    value = digits === "" ? 0 : parseInt(digits, 8);
  }
  if (!Number.isSafeInteger(value)) {
    throw new Error("a number of it is too large");
  }
  return value;
}

function field(block: Uint8Array, at: number, length: number): string {
  return decode(untilNul(block.subarray(at, at + length)));
}

function untilNul<Bytes extends Uint8Array>(bytes: Bytes): Bytes {
  const end = bytes.indexOf(0);
  return (end < 0 ? bytes : bytes.subarray(0, end)) as Bytes;
}

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    const seen = new TextDecoder().decode(bytes);
    throw new Error(`the name ${JSON.stringify(seen)} is not UTF-8`);
  }
}

function paddingOf(size: number): number {
  return (BLOCK_BYTES - size % BLOCK_BYTES) % BLOCK_BYTES;
}
