// Writes an archive: all of it, or none.

import { dirname } from "@std/path";
import { OutputFile, type OutputFileOptions } from "../shared/output_file.ts";

/** Writes an archive's bytes. */
export type ArchiveSink = (source: AsyncIterable<Uint8Array>) => Promise<void>;

/** Where an archive goes. */
export interface WriteArchiveOptions extends OutputFileOptions {
  /** Its absolute path; missing directories are created. */
  path: string;
  /** Its path for people. */
  name: string;
  /** Stops the writing when aborted. */
  signal: AbortSignal;
}

/**
 * Writes an archive. One that is not finished leaves no file.
 *
 * @param options The archive.
 * @param write Called with the sink that takes the archive's bytes.
 * @throws {Error} When it cannot be written; the signal's reason when it is aborted.
 */
export async function writeArchive(
  { path, name, signal, ...modes }: WriteArchiveOptions,
  write: (sink: ArchiveSink) => Promise<void>,
): Promise<void> {
  const failed = (what: string, error: unknown) =>
    new Error(`${what} ${name}: ${(error as Error).message}`);
  try {
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o755 });
  } catch (error) {
    throw failed("Unable to create dir for archive", error);
  }
  await using file = await OutputFile.open(path, modes).catch((error) => {
    throw failed("Unable to create archive", error);
  });
  try {
    await write(async (source) => {
      for await (const chunk of source) await file.write(chunk);
    });
    signal.throwIfAborted();
    await file.commit();
  } catch (error) {
    signal.throwIfAborted();
    throw failed("Error creating archive", error);
  }
}
