// Writes executable files that a test then starts. This process must not hold such a file open for writing: a child that
// another test spawns at that moment inherits the descriptor until it has called exec, and until then the kernel
// refuses to execute the file ("Text file busy"). So another process writes it.

/**
 * Writes a file, replacing one that exists. With an executable mode, the file can be executed immediately.
 *
 * @param path The path.
 * @param content The contents.
 * @param mode The permissions.
 */
export async function writeFile(
  path: string,
  content: string | Uint8Array,
  mode: number,
): Promise<void> {
  const bytes = typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
  if ((mode & 0o111) === 0) return await Deno.writeFile(path, bytes, { mode });
  const written = `${path}.written`;
  await Deno.writeFile(written, bytes);
  await copyExecutable(written, path);
  await Deno.remove(written);
}

/**
 * Copies a file so that it can be executed immediately, replacing one that exists.
 *
 * @param from The file.
 * @param to The path of the copy.
 */
export async function copyExecutable(from: string, to: string): Promise<void> {
  if (Deno.build.os === "windows") return await Deno.copyFile(from, to);
  const { success, stderr } = await new Deno.Command("sh", {
    args: ["-c", 'cp -f "$1" "$2" && chmod 755 "$2"', "sh", from, to],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
