// A zip archive, in zip64 where its sizes ask for it. Times are left out, as
// Packer leaves them out, so that the same files make the same archive.

import { Readable } from "node:stream";
import yazl from "yazl";

/** A file to put into a zip archive. */
export interface ZipEntry {
  /** Its path; what would lead out of the folder it is unpacked in is left out. */
  path: string;
  /** Its permission bits. */
  mode: number;
  /** Its length in bytes. */
  size: number;
  /** Its content, read when its turn comes. */
  content: () => AsyncIterable<Uint8Array>;
}

// What is used here of yazl, which comes without types.
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
 * @param level How hard it compresses, from 1 to 9.
 * @returns The archive's bytes; its errors are those of the files' content too.
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

function entryName(path: string): string {
  const names = path.replace(/^[a-zA-Z]:(?=[\\/])/, "").split(/[\\/]/);
  return names.filter((name) => !["", ".", ".."].includes(name)).join("/");
}
