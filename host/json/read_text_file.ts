// Reads a file that the user named, with a clear error when that fails.

/**
 * Reads a file as text.
 *
 * @param path The file; `"-"` for stdin.
 * @param what The kind of file for error messages, for example `"template"`.
 * @returns Its content, without a byte order mark. Invalid UTF-8 becomes U+FFFD.
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

async function readBytes(path: string, what: string): Promise<Uint8Array> {
  if (path === "-") {
    return new Uint8Array(
      await new Response(Deno.stdin.readable).arrayBuffer(),
    );
  }
  try {
    if ((await Deno.stat(path)).isDirectory) {
      throw new Error(
        `the ${what} ${path} is a directory; give the path of a file`,
      );
    }
    return await Deno.readFile(path);
  } catch (error) {
    // Deno opens no path in /dev, /proc and /sys.
    if (error instanceof Deno.errors.NotCapable) {
      return await readGuarded(path, what);
    }
    const reason = reasonOf(error);
    if (reason === undefined) throw error;
    throw new Error(`cannot read the ${what} ${path}: ${reason}`, {
      cause: error,
    });
  }
}

function reasonOf(error: unknown): string | undefined {
  if (error instanceof Deno.errors.NotFound) return "no such file or directory";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  return (error as { code?: unknown }).code === "ENOTDIR"
    ? "a component of the path is not a directory"
    : undefined;
}

/**
 * Reads a file that Deno refuses to open: one in /dev/shm, or a descriptor that
 * a shell has opened, such as /dev/stdin or /dev/fd/63. The child inherits these.
 */
async function readGuarded(path: string, what: string): Promise<Uint8Array> {
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command("cat", {
      args: ["--", path],
      stdin: "inherit",
      stdout: "piped",
      stderr: "piped",
      env: { LC_ALL: "C" },
    }).output();
  } catch (cause) {
    throw new Error(
      `cannot read the ${what} ${path}: Deno does not open files in /dev, /proc and /sys, and "cat" cannot be run instead; copy it, or use - for stdin`,
      { cause },
    );
  }
  if (output.success) return output.stdout;
  const reason = new TextDecoder().decode(output.stderr).trim()
    .replace(/^cat: .*: /, "");
  throw new Error(`cannot read the ${what} ${path}: ${reason.toLowerCase()}`);
}
