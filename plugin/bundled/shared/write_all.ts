// Writes all of a buffer: a single write(2) may take only a part of it.

/**
 * Writes bytes to a file.
 *
 * @param file The file.
 * @param bytes All of them are written.
 * @throws {Error} When the file cannot be written.
 */
export async function writeAll(
  file: Deno.FsFile,
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await file.write(bytes.subarray(at));
  }
}
