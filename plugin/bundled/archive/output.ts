// The file that an archive is written to, which is there in whole or not at
// all.

import { dirname } from "@std/path";

/** Takes an archive's bytes. */
export type ArchiveSink = (source: AsyncIterable<Uint8Array>) => Promise<void>;

/**
 * Writes an archive, in folders that are made where they are missing; one that
 * is not finished does not stay.
 *
 * @param path Its absolute path.
 * @param target Its path for people.
 * @param signal What the writing is stopped by.
 * @param write Writes it.
 * @throws {Error} When it cannot be written, and the signal's reason when it is aborted.
 */
export async function writeArchive(
  path: string,
  target: string,
  signal: AbortSignal,
  write: (sink: ArchiveSink) => Promise<void>,
): Promise<void> {
  try {
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new Error(
      `Unable to create dir for archive ${target}: ${(error as Error).message}`,
    );
  }
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { write: true, create: true, truncate: true });
  } catch (error) {
    throw new Error(
      `Unable to create archive ${target}: ${(error as Error).message}`,
    );
  }
  try {
    await write(async (source) => {
      for await (const chunk of source) {
        for (let at = 0; at < chunk.length;) {
          at += await file.write(chunk.subarray(at));
        }
      }
    });
    file.close();
  } catch (error) {
    const { isFile } = await file.stat();
    file.close();
    // A device or a pipe is not ours to take away.
    if (isFile) await Deno.remove(path);
    signal.throwIfAborted();
    throw new Error(
      `Error creating archive ${target}: ${(error as Error).message}`,
    );
  }
}
