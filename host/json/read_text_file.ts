// Reads a file that a person named, and tells it in words when that fails.

/**
 * Reads a file as text.
 *
 * @param path The file; `"-"` for the standard input.
 * @param what What it is to the person, for example `"template"`.
 * @returns Its text, without a byte order mark. What is no UTF-8 in it becomes U+FFFD.
 * @throws {Error} When it cannot be read, or is UTF-16.
 */
export async function readText(path: string, what: string): Promise<string> {
  const bytes = await readBytes(path, what);
  const [first, second] = bytes;
  if (
    (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
  ) {
    throw new Error(
      `the ${what} ${path} is UTF-16; save it as UTF-8`,
    );
  }
  return new TextDecoder().decode(bytes);
}

async function readBytes(
  path: string,
  what: string,
): Promise<Uint8Array<ArrayBuffer>> {
  if (path === "-") {
    return new Uint8Array(
      await new Response(Deno.stdin.readable).arrayBuffer(),
    );
  }
  try {
    if ((await Deno.stat(path)).isDirectory) {
      throw new Error(`the ${what} ${path} is a folder; name a file in it`);
    }
    return await Deno.readFile(path);
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? "no such file or directory"
      : error instanceof Deno.errors.PermissionDenied
      ? "permission denied"
      : undefined;
    if (reason === undefined) throw error;
    throw new Error(`cannot read the ${what} ${path}: ${reason}`, {
      cause: error,
    });
  }
}
