// An artifact that consists of files on this machine.

import { resolve } from "@std/path";
import type { Artifact } from "../contract/artifact.ts";

/** What a {@linkcode FilesArtifact} is made from. */
export interface FilesArtifactOptions {
  /** The name of the component that made it. */
  builderId: string;
  /** Its id; empty by default, where its files identify it. */
  id?: string;
  /**
   * The paths of the files that belong to this artifact alone, as the template
   * names them: destroy() removes them.
   */
  files: readonly string[];
  /**
   * The artifact whose files are a part of this one, too. They are removed by
   * its own destroy(): what it says about its files need not be true, and the
   * permission to remove them is its owner's.
   */
  base?: Artifact;
  /** The directory of relative paths; the current one by default. */
  workingDirectory?: string;
  /** The artifact in one line for people. */
  text: string;
}

/**
 * An artifact that consists of files on this machine.
 *
 * @example
 * ```ts ignore
 * import { FilesArtifact } from "@baler/baler/builder";
 *
 * export const artifact = new FilesArtifact({
 *   builderId: "packer.file",
 *   id: "File",
 *   files: ["/srv/images/disk.img"],
 *   text: "Stored file: /srv/images/disk.img",
 * });
 * ```
 */
export class FilesArtifact implements Artifact {
  /** The name of the component that made it. */
  readonly builderId: string;
  /** Its id. */
  readonly id: string;
  /** The paths of all its files, those of its base first. */
  readonly files: readonly string[];
  readonly #own: readonly string[];
  readonly #base: Artifact | undefined;
  readonly #workingDirectory: string;
  readonly #text: string;

  /**
   * Describes files that exist already.
   *
   * @param options The files.
   */
  constructor(
    { builderId, id = "", files, base, workingDirectory = "", text }:
      FilesArtifactOptions,
  ) {
    this.builderId = builderId;
    this.id = id;
    this.#own = [...files];
    this.#base = base;
    this.files = [...(base?.files ?? []), ...files];
    this.#workingDirectory = workingDirectory;
    this.#text = text;
  }

  /**
   * Removes the artifact's own files, and has its base remove the others. A
   * directory is not removed, since what is in it may be anybody's.
   *
   * A file that is gone already is no error. If a file cannot be removed, the
   * others are removed nevertheless.
   *
   * @throws {Error} When files are left, with the path and the reason of each.
   */
  async destroy(): Promise<void> {
    const left: string[] = [];
    for (const file of this.#own) {
      try {
        await removeOutput(resolve(this.#workingDirectory, file));
      } catch (error) {
        left.push(`cannot delete ${file}: ${(error as Error).message}`);
      }
    }
    try {
      await this.#base?.destroy();
    } catch (error) {
      left.push((error as Error).message);
    }
    if (left.length > 0) throw new Error(left.join("\n"));
  }

  /** The artifact in one line for people. */
  toString(): string {
    return this.#text;
  }
}

/**
 * Removes a file that a component wrote. A device or a named pipe stays, since
 * no component made it.
 *
 * @param path Its absolute path; a file that is gone already is no error.
 * @throws {Error} When it cannot be removed, or is a directory.
 */
export async function removeOutput(path: string): Promise<void> {
  try {
    const { isFile, isSymlink, isDirectory } = await Deno.lstat(path);
    if (isDirectory) {
      throw new Error("it is a directory, in which other files may be");
    }
    if (isFile || isSymlink) await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
