// Writes a tar archive of a root file system in POSIX's format (pax): the same
// entries are always the same bytes. Owners are numbers alone.

import type { TarEntry, TarType } from "./tar_reader.ts";

const BLOCK_BYTES = 512;
/** The largest numbers that fit into the octal digits of a header. */
const MAX_ID = 0o7777777;
const MAX_SIZE = 0o77777777777;

const FLAGS: Readonly<Record<TarType, string>> = {
  file: "0",
  link: "1",
  symlink: "2",
  character: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};

const encoder = new TextEncoder();

/**
 * The header of an entry; the content follows, then {@linkcode tarPadding}.
 *
 * @param entry The entry. Its name has no `/` at either end.
 */
export function tarHeader(entry: TarEntry): Uint8Array<ArrayBuffer> {
  const name = entry.type === "directory"
    ? entry.name === "" ? "./" : `${entry.name}/`
    : entry.name;
  const records = recordsOf(entry, name);
  const main = header(name, FLAGS[entry.type], entry);
  if (records.length === 0) return main;
  const content = concat(records);
  // Its own name says nothing, and is the same for all.
  return concat([
    header("PaxHeaders/header", "x", {
      ...entry,
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtime: 0,
      size: content.length,
      target: "",
      major: 0,
      minor: 0,
    }),
    content,
    tarPadding(content.length),
    main,
  ]);
}

/** What follows a content of so many bytes. */
export function tarPadding(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array((BLOCK_BYTES - size % BLOCK_BYTES) % BLOCK_BYTES);
}

/** The end of an archive. */
export function tarEnd(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(2 * BLOCK_BYTES);
}

/** The records of pax for what the header cannot hold. */
function recordsOf(entry: TarEntry, name: string): Uint8Array<ArrayBuffer>[] {
  const records: Uint8Array<ArrayBuffer>[] = [];
  const add = (key: string, value: string | Uint8Array) =>
    void records.push(
      record(key, typeof value === "string" ? encoder.encode(value) : value),
    );
  const isPlain = (text: string) => /^[\x20-\x7e]{0,100}$/.test(text);
  if (!isPlain(name)) add("path", name);
  if (!isPlain(entry.target)) add("linkpath", entry.target);
  if (entry.size > MAX_SIZE) add("size", String(entry.size));
  if (entry.uid > MAX_ID) add("uid", String(entry.uid));
  if (entry.gid > MAX_ID) add("gid", String(entry.gid));
  if (entry.mtime < 0 || entry.mtime > MAX_SIZE) {
    add("mtime", String(entry.mtime));
  }
  for (const [key, value] of [...entry.attributes].sort()) {
    add(`SCHILY.xattr.${key}`, value);
  }
  return records;
}

/** A record, which begins with its own length. */
function record(key: string, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const tail = concat([
    encoder.encode(` ${key}=`),
    value,
    encoder.encode("\n"),
  ]);
  let length = tail.length;
  while (tail.length + String(length).length !== length) {
    length = tail.length + String(length).length;
  }
  return concat([encoder.encode(String(length)), tail]);
}

function header(
  name: string,
  flag: string,
  entry: Omit<TarEntry, "name" | "type" | "attributes">,
): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK_BYTES);
  const text = (at: number, value: string, length: number) =>
    block.set(encoder.encode(value).subarray(0, length), at);
  const number = (at: number, value: number, length: number) => {
    const digits = value.toString(8);
    const fits = value >= 0 && digits.length < length;
    text(at, (fits ? digits : "0").padStart(length - 1, "0"), length);
  };
  text(0, name, 100);
  number(100, entry.mode, 8);
  number(108, entry.uid, 8);
  number(116, entry.gid, 8);
  number(124, entry.size, 12);
  number(136, entry.mtime, 12);
  text(148, "        ", 8);
  text(156, flag, 1);
  text(157, entry.target, 100);
  text(257, "ustar\x0000", 8);
  number(329, entry.major, 8);
  number(337, entry.minor, 8);
  const sum = block.reduce((sum, byte) => sum + byte, 0);
  text(148, `${sum.toString(8).padStart(6, "0")}\0 `, 8);
  return block;
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
