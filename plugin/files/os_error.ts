// Errors of the operating system in the form that Packer's users know:
// `open /tmp/x: no such file or directory`.

/**
 * Makes an error of the operating system name the action and the file.
 *
 * @param action The action, for example `"open"`.
 * @param path The file.
 * @param cause The error from Deno.
 * @returns An error of the same class with a message of one line.
 */
export function osError(action: string, path: string, cause: unknown): Error {
  const known = cause instanceof Error
    ? REASONS.find(([name]) => cause.name === name)
    : undefined;
  // mkdir accepts a directory that exists already: this is a file.
  const reason = action === "mkdir" && known?.[0] === "AlreadyExists"
    ? "not a directory"
    : known?.[1] ?? reasonOf(cause);
  const error = new Error(`${action} ${path}: ${reason}`, { cause });
  if (known) error.name = known[0];
  return error;
}

/**
 * Runs a file operation; its error names the action and the file.
 *
 * @param action The action, for example `"open"`.
 * @param path The file.
 * @param work The operation.
 * @throws {Error} An {@linkcode osError}.
 */
export async function withOsError<T>(
  action: string,
  path: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw osError(action, path, error);
  }
}

/** "No space left on device (os error 28): open 'x'" becomes "no space left on device". */
function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return /^(.+?) \(os error \d+\)/.exec(text)?.[1]?.toLowerCase() ?? text;
}

/** True for an error of this machine's file system: a retry will not help. */
export function isOsError(error: unknown): boolean {
  return error instanceof Error &&
    REASONS.some(([name]) => error.name === name);
}

const REASONS = [
  ["NotFound", "no such file or directory"],
  ["PermissionDenied", "permission denied"],
  ["AlreadyExists", "file exists"],
  ["IsADirectory", "is a directory"],
  ["NotADirectory", "not a directory"],
  ["NotSupported", "not supported"],
  // Deno itself refuses some paths in /proc, /sys, /dev and the like.
  ["NotCapable", "permission denied: Deno does not allow this path"],
] as const;
