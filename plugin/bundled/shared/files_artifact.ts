// A files artifact is made of files on this machine alone; taking it away
// deletes them.

import { resolve } from "@std/path";
import type { Artifact } from "../../contract/artifact.ts";

/** What a {@linkcode FilesArtifact} is made from. */
export interface FilesArtifactOptions {
  /** Names what made it. */
  builderId: string;
  /** What identifies it; empty when its files say it all. */
  id?: string;
  /** The paths of its files, as the person knows them. */
  files: readonly string[];
  /** The folder against which relative ones are meant; the current one unless given. */
  workingDirectory?: string;
  /** The artifact in one line for people. */
  text: string;
}

/**
 * An artifact that is files on this machine.
 *
 * @example
 * ```ts ignore
 * import { FilesArtifact } from "./files_artifact.ts";
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
  /** Names what made it. */
  readonly builderId: string;
  /** What identifies it. */
  readonly id: string;
  /** The paths of its files. */
  readonly files: readonly string[];
  #workingDirectory: string;
  #text: string;

  /**
   * Takes note of the files, which are there already.
   *
   * @param options What it is made from.
   */
  constructor(
    { builderId, id = "", files, workingDirectory = "", text }:
      FilesArtifactOptions,
  ) {
    this.builderId = builderId;
    this.id = id;
    this.files = [...files];
    this.#workingDirectory = workingDirectory;
    this.#text = text;
  }

  /**
   * Deletes the files, folders with all that is in them; one that is gone already is no error, and one that
   * cannot be deleted does not keep the others.
   *
   * @throws {Error} When files are left, with the name of each and why.
   */
  async destroy(): Promise<void> {
    const left: string[] = [];
    for (const file of this.files) {
      try {
        await Deno.remove(resolve(this.#workingDirectory, file), {
          recursive: true,
        });
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) continue;
        left.push(`cannot delete ${file}: ${(error as Error).message}`);
      }
    }
    if (left.length > 0) throw new Error(left.join("\n"));
  }

  /** The artifact in one line for people. */
  toString(): string {
    return this.#text;
  }
}
