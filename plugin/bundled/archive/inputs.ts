// The files that go into an archive: they exist, can be read, and are not the
// archive itself.

import { resolve } from "@std/path";

/** A file that goes into an archive. */
export interface ArchiveInput {
  /** Its path, as the artifact has it. */
  file: string;
  /** Its absolute path. */
  path: string;
  /** Its size and its owner. */
  info: Deno.FileInfo;
  /** Its permission bits. */
  mode: number;
}

/**
 * Checks the files of an artifact.
 *
 * @param files Their paths.
 * @param workingDirectory The directory of relative paths.
 * @param target The archive's absolute path.
 * @returns The files, in the artifact's order.
 * @throws {Error} When one is missing, is not a file, or would be replaced by the archive.
 */
export async function archiveInputs(
  files: readonly string[],
  workingDirectory: string,
  target: string,
): Promise<ArchiveInput[]> {
  const existing = await Deno.stat(target).catch(() => undefined);
  const inputs: ArchiveInput[] = [];
  for (const file of files) {
    const path = resolve(workingDirectory, file);
    let info: Deno.FileInfo;
    try {
      info = await Deno.stat(path);
    } catch (error) {
      throw new Error(
        `Unable to read file ${file}: ${(error as Error).message}`,
      );
    }
    if (!info.isFile) {
      throw new Error(
        `Unable to read file ${file}: it is not a file; an artifact whose files are to be archived must name each`,
      );
    }
    const same = existing !== undefined && existing.ino !== null &&
      existing.ino === info.ino && existing.dev === info.dev;
    if (path === target || same) {
      throw new Error(
        `the archive ${target} would be written over ${file}, which is one of its files; choose another "output"`,
      );
    }
    inputs.push({ file, path, info, mode: (info.mode ?? 0o644) & 0o7777 });
  }
  return inputs;
}
