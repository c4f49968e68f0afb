// Executable files that a test makes and then starts. This process must not
// write them itself: a child that another test starts in that moment, in a
// thread of the same process, holds the open file until it has begun, and
// until then nobody can start it ("Text file busy").

/** Writes an executable, in place of what is there. */
export async function writeExecutable(
  path: string,
  content: Uint8Array,
): Promise<void> {
  const written = `${path}.written`;
  await Deno.writeFile(written, content);
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

/** Whether a file of this mode can be executed. */
export function isExecutable(mode: number | undefined): boolean {
  return ((mode ?? 0) & 0o111) !== 0;
}
