// The format of an archive follows from its name, by rules that templates
// written for Packer rely on.

/** How a file is compressed. */
export type Compression = "gzip" | "bgzf" | "lz4" | "xz";

/** What an archive is. */
export interface ArchiveFormat {
  /** How files are put together; absent where there is one file alone. */
  archive?: "tar" | "zip";
  /** How the whole is compressed; absent where it is not, or the archive does it. */
  compression?: Compression;
}

const COMPRESSIONS: Record<string, Compression> = {
  gz: "gzip",
  bgzf: "bgzf",
  lz4: "lz4",
  xz: "xz",
};

/**
 * The format that an archive's name stands for; a compressed tar where it
 * stands for none.
 *
 * @param output The archive's name, templates in it not yet filled in.
 * @param format An ending that counts in place of the name's own.
 *
 * @example
 * ```ts
 * import { archiveFormat } from "./format.ts";
 *
 * console.log(archiveFormat("disk.tar.gz")); // { archive: "tar", compression: "gzip" }
 * ```
 */
export function archiveFormat(output: string, format?: string): ArchiveFormat {
  const name = format ? `${output}.${format}` : output;
  const endings = [...name.matchAll(/\.([a-z0-9]+)/g)].map((match) =>
    match[1]!
  );
  const last = endings.at(-1) ?? "";
  if (last === "tar" || last === "zip") return { archive: last };
  if (!Object.hasOwn(COMPRESSIONS, last)) {
    return { archive: "tar", compression: "gzip" };
  }
  const compression = COMPRESSIONS[last];
  return endings.at(-2) === "tar"
    ? { archive: "tar", compression }
    : { compression };
}
