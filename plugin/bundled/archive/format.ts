// Derives the format of an archive from its name, by Packer's rules.

/** A compression format. */
export type Compression = "gzip" | "bgzf" | "lz4" | "xz";

/** The format of an archive. */
export interface ArchiveFormat {
  /** The format that holds several files; absent for a single compressed file. */
  archive?: "tar" | "zip";
  /** The compression of the whole; absent for a plain tar and for zip. */
  compression?: Compression;
}

const COMPRESSIONS: Record<string, Compression> = {
  gz: "gzip",
  bgzf: "bgzf",
  lz4: "lz4",
  xz: "xz",
};

/**
 * The format of an archive; `.tar.gz` for an unknown extension.
 *
 * @param output The name of the archive, with its templates.
 * @param format An extension that is used in place of the name's own.
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
