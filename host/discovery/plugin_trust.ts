// Whether somebody other than root and the user can replace a plugin: its
// file, or a directory on the way to it, belongs to them or is writable.

import { dirname, isAbsolute } from "@std/path";

/** The permission to write, of a file's group and of all others. */
const GROUP_WRITE = 0o020;
const OTHERS_WRITE = 0o002;
/** In a sticky directory, only its owner replaces the files of an owner. */
const STICKY = 0o1000;

/**
 * Why other users can replace what a command runs.
 *
 * @param argv The command: each word that is an absolute path is looked at.
 * @returns The reason, with the path and what to do; undefined when nobody can.
 */
export function untrustedReason(argv: readonly string[]): string | undefined {
  if (Deno.build.os === "windows") return undefined;
  for (const word of argv) {
    if (!isAbsolute(word)) continue;
    const reason = reasonOf(word);
    if (reason !== undefined) return reason;
  }
}

function reasonOf(path: string): string | undefined {
  let real: string;
  try {
    real = Deno.realPathSync(path);
  } catch {
    // It cannot be started either, and that is told with its own error.
    return undefined;
  }
  const paths = real === path ? [real] : [real, path];
  for (const start of paths) {
    // A link itself has no permissions; who writes its directory replaces it.
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
    return `${what} can be written by every user; run "chmod o-w ${path}"`;
  }
  // By convention a group with the number of its user has no other member.
  if ((mode & GROUP_WRITE) !== 0 && gid !== uid) {
    return `${what} can be written by its group (gid ${gid}); run "chmod g-w ${path}"`;
  }
}
