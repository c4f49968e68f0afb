// Executable files that a test makes and then starts. This process must not
// write them itself: a child that another test starts in that moment, in a
// thread of the same process, holds the open file until it has begun, and
// until then nobody can start it ("Text file busy").

/** Writes a file, in place of what is there; one of a mode that can be executed so that it can be started. */
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

/** Copies a file to where it can be executed, in place of what is there. */
export async function copyExecutable(from: string, to: string): Promise<void> {
  if (Deno.build.os === "windows") return await Deno.copyFile(from, to);
  const { success, stderr } = await new Deno.Command("sh", {
    args: ["-c", 'cp -f "$1" "$2" && chmod 755 "$2"', "sh", from, to],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
