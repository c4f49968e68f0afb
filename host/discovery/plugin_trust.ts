// Checks whether a user other than root and the current one can replace a plugin:
// its file, or one of the directories above it, belongs to that user or is writable.

import { dirname, isAbsolute } from "@std/path";

/** The write permission of a file's group (stat(2)). */
const GROUP_WRITE = 0o020;

/** The write permission of all other users. */
const OTHERS_WRITE = 0o002;

/** The sticky bit: in such a directory, only the owner of a file can replace it. */
const STICKY = 0o1000;

/**
 * Returns the warning about a plugin that other users can replace.
 *
 * @param plugin How it is started, and what it is called.
 * @returns The warning; undefined when only root and this user can replace it.
 */
export function trustWarning(
  { argv, label }: { readonly argv: readonly string[]; readonly label: string },
): string | undefined {
  const reason = untrustedReason(argv);
  return reason === undefined
    ? undefined
    : `plugin ${label} is not safe to run: ${reason}`;
}

/**
 * Returns why other users can replace the files of a command.
 *
 * @param argv The command; each argument that is an absolute path is checked.
 * @returns The reason, with the path and what to do; undefined when no other user can.
 */
export function untrustedReason(argv: readonly string[]): string | undefined {
  if (Deno.build.os === "windows") return undefined;
  for (const arg of argv) {
    if (!isAbsolute(arg)) continue;
    const reason = reasonOf(arg);
    if (reason !== undefined) return reason;
  }
}

function reasonOf(path: string): string | undefined {
  let real: string;
  try {
    real = Deno.realPathSync(path);
  } catch {
    // It cannot be started either, which is reported with an error of its own.
    return undefined;
  }
  const paths = real === path ? [real] : [real, path];
  for (const start of paths) {
    // A symlink has no permissions; whether it can be replaced depends on its directory.
    let current = start === real ? real : dirname(start);
    for (;;) {
      const reason = writerOf(current, current === real);
      if (reason !== undefined) return reason;
      const parent = dirname(current);
      if (parent === current) break;
      current = parent;
    }
  }
}

function writerOf(path: string, isFile: boolean): string | undefined {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch {
    return undefined;
  }
  const { uid, gid, mode } = info;
  if (uid === null || mode === null) return undefined;
  const what = isFile ? path : `its directory ${path}`;
  if (uid !== 0 && uid !== Deno.uid()) {
    return `${what} belongs to another user (uid ${uid})`;
  }
  if (!isFile && (mode & STICKY) !== 0) return undefined;
  if ((mode & OTHERS_WRITE) !== 0) {
    return `${what} is writable by every user; run "chmod o-w ${path}"`;
  }
  // By convention a group with the same id as the user has no other member.
  if ((mode & GROUP_WRITE) !== 0 && gid !== uid) {
    return `${what} is writable by its group (gid ${gid}); run "chmod g-w ${path}"`;
  }
}
