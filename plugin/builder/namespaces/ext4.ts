// A file system in a file, made from a directory by e2fsprogs' mke2fs, without
// mounting anything.

import { findProgram } from "../find_program.ts";
import { runProgram } from "../run_program.ts";
import type { UserNamespace } from "./user_namespace.ts";

const BLOCK_BYTES = 4096;
/** The number of the first file in a file system, after those of ext4 itself. */
const FIRST_FILE = 11;
/** What a file system has free when its size follows from its content, in bytes. */
const FREE_BYTES = 64 * 1024 * 1024;
/** How much larger than its files a file system has to be: for its own tables and journal. */
const OVERHEAD = 1.15;

/** What a file system is made of. */
export interface Ext4Options {
  /** The user namespace in which the files have their owners. */
  namespace: UserNamespace;
  /** The directory that becomes its root. */
  directory: string;
  /** How many files are in it. */
  files: number;
  /** The owners of files whose owners the namespace does not have. */
  owners: readonly (readonly [path: string, uid: number, gid: number])[];
  /** How many bytes these files have. */
  bytes: number;
  /** The file that it is written to. */
  image: string;
  /** Its size in bytes; what the files need unless given. */
  size?: number | undefined;
  /** Its label. */
  label: string;
  /** Its UUID, from which the hashes of its directories follow, too. */
  uuid: string;
  /** The time of everything that mke2fs does, in seconds; undefined for the present. */
  time: number | undefined;
  /** Stops when aborted. */
  signal: AbortSignal;
}

/**
 * Makes a file system of type ext4: with a time, the same directory makes the
 * same bytes.
 *
 * @param options What it is made of.
 * @throws {Error} When it is too small, or a program is not installed.
 */
export async function writeExt4(options: Ext4Options): Promise<void> {
  const { namespace, files, owners, bytes, image, uuid, time, signal } =
    options;
  const needed = Math.ceil(
        (bytes + files * BLOCK_BYTES) * OVERHEAD / BLOCK_BYTES,
      ) * BLOCK_BYTES + FREE_BYTES;
  const total = options.size ?? needed;
  // What mke2fs takes as the time: the second is of versions before 1.47.1.
  const env = time === undefined ? [] : [
    ...["env", `SOURCE_DATE_EPOCH=${time}`, `E2FSPROGS_FAKE_TIME=${time}`],
  ];
  await Deno.writeFile(image, new Uint8Array());
  await runProgram(
    namespace.inside([
      ...env,
      ...[await findProgram("mke2fs", "e2fsprogs"), "-q", "-F", "-t", "ext4"],
      ...["-b", String(BLOCK_BYTES), "-I", "256", "-m", "0"],
      ...["-L", options.label, "-U", uuid, "-d", options.directory],
      ...["-N", String(Math.ceil(files * 1.25) + 4096)],
      ...["-E", `hash_seed=${uuid},root_owner=0:0`],
      ...[image, `${Math.floor(total / 1024)}K`],
    ]),
    { signal },
  );
  const commands: string[] = [];
  for (const [path, uid, gid] of owners) {
    const name = quote(path);
    commands.push(
      `set_inode_field ${name} uid ${uid}`,
      `set_inode_field ${name} gid ${gid}`,
    );
  }
  // mke2fs takes these from this machine's file system: the times at which a
  // file was unpacked, and a directory read.
  for (
    let inode = FIRST_FILE;
    time !== undefined && inode <= FIRST_FILE + files;
    inode++
  ) {
    for (const field of ["atime", "ctime"]) {
      commands.push(
        `set_inode_field <${inode}> ${field} @${time}`,
        `set_inode_field <${inode}> ${field}_extra 0`,
      );
    }
  }
  if (commands.length === 0) return;
  await runProgram(
    namespace.inside([
      ...env,
      ...[await findProgram("debugfs", "e2fsprogs"), "-w", "-f", "-", image],
    ]),
    { signal, stdin: `${commands.join("\n")}\n` },
  );
}

/** A path as debugfs reads it. */
function quote(path: string): string {
  if (/[\n\r]/.test(path)) {
    throw new Error(`the owner of ${JSON.stringify(path)} cannot be set`);
  }
  return `"/${path.replaceAll('"', '""')}"`;
}
