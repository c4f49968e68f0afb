// What a machine in namespaces finds mounted: its own /dev, /proc, /sys, the
// temporary file systems and the volumes, and nothing else of this machine. To
// be called in new mount, PID, IPC and UTS namespaces.

import { dirname, join } from "node:path/posix";
import {
  changeRoot,
  MOUNT,
  mount,
  setHostname,
} from "../../process/system_calls.ts";

/** What is mounted in a machine. */
export interface MachineMounts {
  /** The directory that becomes the machine's root. */
  root: string;
  /** The machine's name. */
  hostname: string;
  /** Paths in the machine at which a file system in memory is mounted. */
  tmpfs: readonly string[];
  /** Files and directories of this machine that the machine has too. */
  volumes: readonly Volume[];
}

/** A file or directory of this machine that a machine has too. */
export interface Volume {
  /** Its absolute path on this machine. */
  source: string;
  /** Its path in the machine. */
  target: string;
  /** True when the machine cannot write it. */
  isReadOnly: boolean;
}

/** The devices that every program may expect. */
const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"];

const DEV_LINKS: Readonly<Record<string, string>> = {
  fd: "/proc/self/fd",
  stdin: "/proc/self/fd/0",
  stdout: "/proc/self/fd/1",
  stderr: "/proc/self/fd/2",
  ptmx: "pts/ptmx",
};

/** What of /proc is this machine's, not the namespaces': root in them may own it. */
const READ_ONLY_PROC = ["bus", "fs", "irq", "sys", "sysrq-trigger"];
const HIDDEN_PROC = ["kcore", "keys", "latency_stats", "timer_list"];

const QUIET = MOUNT.noSuid | MOUNT.noDev | MOUNT.noExec;
/** `MNT_READONLY` and the others by the words of /proc/self/mountinfo. */
const FLAG_WORDS: Readonly<Record<string, number>> = {
  ro: MOUNT.readOnly,
  nosuid: MOUNT.noSuid,
  nodev: MOUNT.noDev,
  noexec: MOUNT.noExec,
};

/** The most symlinks that are followed in one path, as in Linux. */
const MAX_SYMLINKS = 40;

/**
 * Mounts all of it, and makes the directory the root of this mount namespace.
 *
 * @param mounts What is mounted.
 * @returns The files and directories that were made in the tree to mount
 * something at, each before what is in it.
 * @throws {Error} When something cannot be mounted.
 */
export function mountMachine(
  { root, hostname, tmpfs, volumes }: MachineMounts,
): string[] {
  const points = new MountPoints(root);
  mount({ source: root, target: root, flags: MOUNT.bind });
  // A node that an archive brought is no way to a device of this machine.
  remount(root, MOUNT.noDev);
  mountDev(points);
  mountProc(points.directory("/proc"));
  mountSys(points.directory("/sys"));
  for (const path of tmpfs) {
    mount({
      source: "tmpfs",
      target: points.directory(path),
      type: "tmpfs",
      flags: MOUNT.noSuid | MOUNT.noDev,
      data: `mode=${path === "/tmp" || path === "/var/tmp" ? 1777 : 755}`,
    });
  }
  for (const { source, target, isReadOnly } of volumes) {
    const path = Deno.statSync(source).isDirectory
      ? points.directory(target)
      : points.file(target);
    mount({ source, target: path, flags: MOUNT.bind | MOUNT.recursive });
    if (isReadOnly) remountBelow(path, MOUNT.readOnly);
  }
  setHostname(hostname);
  changeRoot(root);
  return points.made;
}

function mountDev(points: MountPoints): void {
  const dev = points.directory("/dev");
  mount({
    source: "tmpfs",
    target: dev,
    type: "tmpfs",
    flags: MOUNT.noSuid | MOUNT.noExec,
    data: "mode=755,size=1m",
  });
  for (const name of DEVICES) {
    const target = join(dev, name);
    Deno.writeFileSync(target, new Uint8Array());
    mount({ source: `/dev/${name}`, target, flags: MOUNT.bind });
    // It can be written to; its mode and owner cannot be changed.
    remount(target, MOUNT.readOnly);
  }
  for (const [name, target] of Object.entries(DEV_LINKS)) {
    Deno.symlinkSync(target, join(dev, name));
  }
  for (const name of ["pts", "shm"]) Deno.mkdirSync(join(dev, name));
  mount({
    source: "tmpfs",
    target: join(dev, "shm"),
    type: "tmpfs",
    flags: QUIET,
    data: "mode=1777",
  });
  const pts = {
    source: "devpts",
    target: join(dev, "pts"),
    type: "devpts",
    flags: MOUNT.noSuid | MOUNT.noExec,
  };
  const data = "newinstance,ptmxmode=0666,mode=0620";
  try {
    mount({ ...pts, data: `${data},gid=5` });
  } catch {
    // There is no group tty where root is the only user.
    mount({ ...pts, data });
  }
}

function mountProc(proc: string): void {
  try {
    mount({ source: "proc", target: proc, type: "proc", flags: QUIET });
  } catch {
    // In a container that hides a part of /proc the kernel gives no other.
    mount({
      source: "/proc",
      target: proc,
      flags: MOUNT.bind | MOUNT.recursive,
    });
  }
  for (const name of READ_ONLY_PROC) {
    const path = join(proc, name);
    if (!exists(path)) continue;
    mount({ source: path, target: path, flags: MOUNT.bind });
    remount(path, MOUNT.readOnly);
  }
  for (const name of HIDDEN_PROC) {
    const target = join(proc, name);
    if (!exists(target)) continue;
    mount({ source: "/dev/null", target, flags: MOUNT.bind });
    remount(target, MOUNT.readOnly);
  }
}

function mountSys(sys: string): void {
  const flags = QUIET | MOUNT.readOnly;
  try {
    mount({ source: "sysfs", target: sys, type: "sysfs", flags });
  } catch {
    // It shows the network, which is this machine's.
    mount({
      source: "/sys",
      target: sys,
      flags: MOUNT.bind | MOUNT.recursive,
    });
    remountBelow(sys, flags);
  }
}

/** Adds flags to a mount; the kernel keeps those that it had where this user may not take them away. */
function remount(target: string, flags: number): void {
  const had = mountsOf().findLast(({ path }) => path === target)?.flags ?? 0;
  mount({
    source: "none",
    target,
    flags: MOUNT.remount | MOUNT.bind | had | flags,
  });
}

/** Adds flags to a mount and all that is mounted in it. */
function remountBelow(target: string, flags: number): void {
  const paths = new Set(
    mountsOf().map(({ path }) => path)
      .filter((path) => path === target || path.startsWith(`${target}/`)),
  );
  for (const path of paths) remount(path, flags);
}

function mountsOf(): { path: string; flags: number }[] {
  const text = Deno.readTextFileSync("/proc/self/mountinfo");
  return text.trimEnd().split("\n").map((line) => {
    const [, , , , path = "", words = ""] = line.split(" ");
    return {
      path: path.replaceAll(
        /\\([0-7]{3})/g,
        (_, digits: string) => String.fromCharCode(parseInt(digits, 8)),
      ),
      flags: words.split(",").reduce(
        (sum, word) => sum | (FLAG_WORDS[word] ?? 0),
        0,
      ),
    };
  });
}

/** Places in a tree at which something is mounted. */
class MountPoints {
  /** What was made in the tree itself, each before what is in it. */
  readonly made: string[] = [];
  readonly #root: string;
  readonly #device: number;

  constructor(root: string) {
    this.#root = root;
    this.#device = Deno.lstatSync(root).dev;
  }

  /** Makes sure of a directory; returns its path on this machine. */
  directory(path: string): string {
    return this.#ensure(
      path,
      (place) => Deno.mkdirSync(place, { mode: 0o755 }),
    );
  }

  /** Makes sure of a file; returns its path on this machine. */
  file(path: string): string {
    return this.#ensure(path, (place) => {
      Deno.writeFileSync(place, new Uint8Array(), { createNew: true });
    });
  }

  #ensure(path: string, make: (place: string) => void): string {
    const inside = this.#resolve(path);
    const place = join(this.#root, inside);
    if (exists(place)) return place;
    const parent = dirname(inside);
    if (parent !== inside) this.directory(parent);
    make(place);
    // What is made in a temporary file system is lost with it.
    if (Deno.lstatSync(place).dev === this.#device) this.made.push(inside);
    return place;
  }

  /** A path in the tree without symlinks, which lead where they do in the machine. */
  #resolve(path: string): string {
    let resolved = "/";
    const parts = path.split("/");
    for (let links = 0; parts.length > 0;) {
      const part = parts.shift()!;
      if (part === "" || part === ".") continue;
      if (part === "..") {
        resolved = dirname(resolved);
        continue;
      }
      const next = join(resolved, part);
      const place = join(this.#root, next);
      if (!exists(place) || !Deno.lstatSync(place).isSymlink) {
        resolved = next;
        continue;
      }
      if (++links > MAX_SYMLINKS) {
        throw new Error(`${path} leads through too many symlinks`);
      }
      const target = Deno.readLinkSync(place);
      if (target.startsWith("/")) resolved = "/";
      parts.unshift(...target.split("/"));
    }
    return resolved;
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
