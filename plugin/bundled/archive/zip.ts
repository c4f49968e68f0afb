// Writes a zip archive, as zip64 where sizes need it. Without times, as in Packer,
// so that the same files make the same archive.

import { Readable } from "node:stream";
import yazl from "yazl";

/** A file to put into a zip archive. */
export interface ZipEntry {
  /** Its path, of which the archive gets {@linkcode entryName}. */
  path: string;
  /** Its permission bits. */
  mode: number;
  /** Its length in bytes. */
  size: number;
  /** Opens its content; called when the file before it is written. */
  content: () => AsyncIterable<Uint8Array>;
}

// What is used of yazl, which has no types.
interface Yazl {
  outputStream: Readable;
  addReadStreamLazy(
    path: string,
    options: {
      mode: number;
      mtime: Date;
      forceDosTimestamp: boolean;
      compressionLevel: number;
      size: number;
    },
    open: (callback: (error: null, stream: Readable) => void) => void,
  ): void;
  on(event: "error", listener: (error: Error) => void): void;
  end(): void;
}

// The first day that a zip archive can name.
const NO_TIME = new Date(1980, 0, 1);

/**
 * Writes a zip archive.
 *
 * @param entries The files.
 * @param level The compression level, from 1 to 9.
 * @returns The archive's bytes. An error of a file's content is an error of this stream.
 */
export function zip(entries: readonly ZipEntry[], level: number): Readable {
  const archive: Yazl = new yazl.ZipFile();
  const output = archive.outputStream;
  const fail = (error: Error) => output.destroy(error);
  archive.on("error", fail);
  for (const { path, mode, size, content } of entries) {
    archive.addReadStreamLazy(entryName(path), {
      mode: 0o100000 | mode,
      mtime: NO_TIME,
      forceDosTimestamp: true,
      compressionLevel: level,
      size,
    }, (callback) => {
      const stream = Readable.from(content(), { objectMode: false });
      stream.on("error", fail);
      callback(null, stream);
    });
  }
  archive.end();
  return output;
}

/**
 * The name of a file in an archive: its path without `.` and `..`, so that it does
 * not leave the directory in which the archive is unpacked.
 *
 * @param path The path, for example `"./a/../b/x"`.
 * @returns The name, for example `"b/x"`.
 */
export function entryName(path: string): string {
  const names: string[] = [];
  for (const part of path.replace(/^[a-zA-Z]:(?=[\\/])/, "").split(/[\\/]/)) {
    if (part === "..") names.pop();
    else if (part !== "" && part !== ".") names.push(part);
  }
  return names.join("/");
}
