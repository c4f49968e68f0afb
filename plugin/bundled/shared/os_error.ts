// What the operating system refused, in the words that Packer's users know:
// `open /tmp/x: no such file or directory`.

/**
 * An error of the operating system's with what was done to which file.
 *
 * @param action What was done, for example `"open"`.
 * @param path To which file.
 * @param cause What Deno threw.
 * @returns An error of the same class, which tells it in one line.
 */
export function osError(action: string, path: string, cause: unknown): Error {
  const known = cause instanceof Error
    ? REASONS.find(([name]) => cause.name === name)
    : undefined;
  // A folder that is there already is no error to mkdir: what is there is a file.
  const reason = action === "mkdir" && known?.[0] === "AlreadyExists"
    ? "not a directory"
    : known?.[1] ?? reasonOf(cause);
  const error = new Error(`${action} ${path}: ${reason}`, { cause });
  if (known) error.name = known[0];
  return error;
}

/** "No space left on device (os error 28): open 'x'" is "no space left on device". */
function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return /^(.+?) \(os error \d+\)/.exec(text)?.[1]?.toLowerCase() ?? text;
}

/** True for an error that the machine itself gave: asking again will not help. */
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
  // Deno's own word on /proc, /sys, /dev and the like.
  ["NotCapable", "permission denied: Deno guards this folder"],
] as const;
