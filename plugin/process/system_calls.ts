// System calls of Linux for which Deno has no function: those that machines in
// namespaces need. Section 2 of Linux's manual describes them.

/** `MS_NOSUID` and the other flags of mount(2). */
export const MOUNT = {
  readOnly: 1,
  noSuid: 2,
  noDev: 4,
  noExec: 8,
  remount: 32,
  bind: 4096,
  recursive: 16384,
  private: 1 << 18,
} as const;

/** `S_IFIFO`, `S_IFCHR` and `S_IFBLK` of inode(7). */
export const FILE_TYPE = {
  fifo: 0o010000,
  characterDevice: 0o020000,
  blockDevice: 0o060000,
} as const;

const MNT_DETACH = 2;
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const STATX_CTIME = 0x80;
const STATX_BYTES = 256;
/** Where `stx_ctime` is in the struct of statx(2), in bytes. */
const CTIME_AT = 96;
const SIGCHLD = 17;
const SIG_IGN = 1n;
const PR_SET_CHILD_SUBREAPER = 36;
const WNOHANG = 1;
const AF_INET = 2;
const SOCK_DGRAM = 2;
const SIOCSIFFLAGS = 0x8914n;
const IFF_UP = 1;
/** The largest extended attribute of a file, in bytes. */
const MAX_XATTR_BYTES = 64 * 1024;

/** The number of pivot_root(2), which the C library has no function for. */
const PIVOT_ROOT = Deno.build.arch === "aarch64" ? 41n : 155n;

const ERRORS: Readonly<Record<number, string>> = {
  1: "operation not permitted",
  2: "no such file or directory",
  12: "out of memory",
  13: "permission denied",
  16: "it is busy",
  17: "it exists",
  19: "no such device",
  20: "not a directory",
  22: "invalid argument",
  28: "no space left",
  30: "the file system is read-only",
  34: "result too large",
  36: "the name is too long",
  61: "there is no such attribute",
  95: "not supported",
};

const path = "buffer";
const library = () =>
  Deno.dlopen("libc.so.6", {
    __errno_location: { parameters: [], result: "pointer" },
    chroot: { parameters: [path], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
    ioctl: { parameters: ["i32", "usize", "buffer"], result: "i32" },
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    statx: {
      parameters: ["i32", "buffer", "i32", "u32", "buffer"],
      result: "i32",
    },
    prctl: {
      parameters: ["i32", "usize", "usize", "usize", "usize"],
      result: "i32",
    },
    waitpid: { parameters: ["i32", "pointer", "i32"], result: "i32" },
    lchown: { parameters: [path, "u32", "u32"], result: "i32" },
    lgetxattr: {
      parameters: [path, "buffer", "buffer", "usize"],
      result: "isize",
    },
    lsetxattr: {
      parameters: [path, "buffer", "buffer", "usize", "i32"],
      result: "i32",
    },
    mknod: { parameters: [path, "u32", "u64"], result: "i32" },
    mount: {
      parameters: [path, path, "buffer", "usize", "buffer"],
      result: "i32",
    },
    sethostname: { parameters: ["buffer", "usize"], result: "i32" },
    signal: { parameters: ["i32", "usize"], result: "usize" },
    syscall: { parameters: ["usize", path, path], result: "isize" },
    umount2: { parameters: [path, "i32"], result: "i32" },
    utimensat: {
      parameters: ["i32", path, "buffer", "i32"],
      result: "i32",
    },
  });

let loaded: ReturnType<typeof library> | undefined;

function c(): ReturnType<typeof library>["symbols"] {
  return (loaded ??= library()).symbols;
}

/** A system call that failed. */
export class SystemCallError extends Error {
  /**
   * @param doing What could not be done.
   * @param errno The number of the error, as in errno(3).
   */
  constructor(doing: string, readonly errno: number) {
    super(`cannot ${doing}: ${ERRORS[errno] ?? `error ${errno}`}`);
  }
}

/** `EPERM` of errno(3). */
export const EPERM = 1;

function check(result: number | bigint, doing: string): void {
  if (Number(result) !== -1) return;
  const place = c().__errno_location();
  throw new SystemCallError(
    doing,
    place === null ? 0 : new Deno.UnsafePointerView(place).getInt32(),
  );
}

const encoder = new TextEncoder();

function text(value: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(`${value}\0`);
}

/** What {@linkcode mount} mounts. */
export interface MountOptions {
  /** A device, a directory to bind, or a word for file systems without either. */
  source: string;
  /** Where. */
  target: string;
  /** The type of file system; none for what is bound. */
  type?: string;
  /** Some of {@linkcode MOUNT}, added up. */
  flags?: number;
  /** Options of the type. */
  data?: string;
}

/**
 * Mounts a file system.
 *
 * @throws {SystemCallError} When it cannot be mounted.
 */
export function mount(
  { source, target, type, flags = 0, data }: MountOptions,
): void {
  check(
    c().mount(
      text(source),
      text(target),
      type === undefined ? null : text(type),
      BigInt(flags),
      data === undefined ? null : text(data),
    ),
    `mount ${type ?? source} at ${target}`,
  );
}

/**
 * Makes a mounted directory the root of this mount namespace, and detaches the
 * root that was there: nothing of it can be reached afterwards.
 *
 * @param root The mounted directory.
 * @throws {SystemCallError} When it cannot be done.
 */
export function changeRoot(root: string): void {
  Deno.chdir(root);
  check(
    c().syscall(PIVOT_ROOT, text("."), text(".")),
    `change the root to ${root}`,
  );
  check(c().umount2(text("."), MNT_DETACH), "detach the former root");
  Deno.chdir("/");
}

/**
 * Makes a directory the root of this process: no path leads out of it.
 *
 * @param root The directory.
 * @throws {SystemCallError} When it cannot be done.
 */
export function chroot(root: string): void {
  check(c().chroot(text(root)), `change the root to ${root}`);
  Deno.chdir("/");
}

/** Sets the name of the machine in this UTS namespace. */
export function setHostname(name: string): void {
  const bytes = encoder.encode(name);
  check(
    c().sethostname(bytes, BigInt(bytes.length)),
    `set the host name ${name}`,
  );
}

/** Has the kernel wait for children, so that orphans never stay zombies. */
export function ignoreChildren(): void {
  c().signal(SIGCHLD, SIG_IGN);
}

/** Makes this process the parent of all orphans among its descendants. */
export function becomeSubreaper(): void {
  check(
    c().prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n),
    "become the parent of orphans",
  );
}

/** Takes the exit status of a child that has exited. */
export function reap(pid: number): void {
  c().waitpid(pid, null, WNOHANG);
}

/** Changes the owner of a file, of a symlink itself. */
export function changeOwner(path: string, uid: number, gid: number): void {
  check(c().lchown(text(path), uid, gid), `change the owner of ${path}`);
}

/** Sets both times of a file, of a symlink itself, in seconds. */
export function setTimes(path: string, seconds: number): void {
  const time = BigInt(Math.trunc(seconds));
  check(
    c().utimensat(
      AT_FDCWD,
      text(path),
      new BigInt64Array([time, 0n, time, 0n]),
      AT_SYMLINK_NOFOLLOW,
    ),
    `set the times of ${path}`,
  );
}

/**
 * The time at which a file, a symlink itself, was last changed in any way, as
 * text: Deno has it in seconds alone.
 */
export function changeTime(path: string): string {
  const buffer = new Uint8Array(STATX_BYTES);
  check(
    c().statx(AT_FDCWD, text(path), AT_SYMLINK_NOFOLLOW, STATX_CTIME, buffer),
    `read the times of ${path}`,
  );
  const view = new DataView(buffer.buffer);
  return `${view.getBigInt64(CTIME_AT, true)}.${
    view.getUint32(CTIME_AT + 8, true)
  }`;
}

/**
 * Makes a device node or a named pipe.
 *
 * @param path Where.
 * @param mode One of {@linkcode FILE_TYPE}, and the permission bits.
 * @param device The device's number; see {@linkcode deviceNumber}.
 */
export function makeNode(path: string, mode: number, device = 0n): void {
  check(c().mknod(text(path), mode, device), `make the node ${path}`);
}

/** A device's number as Linux writes it, from its major and minor number. */
export function deviceNumber(major: number, minor: number): bigint {
  const [a, b] = [BigInt(major), BigInt(minor)];
  return (a & 0xfffn) << 8n | b & 0xffn | (a & ~0xfffn) << 32n |
    (b & ~0xffn) << 12n;
}

/** The major and minor number of a device. */
export function deviceParts(device: number): [major: number, minor: number] {
  const number = BigInt(device);
  return [
    Number((number >> 8n & 0xfffn) | (number >> 32n & ~0xfffn)),
    Number((number & 0xffn) | (number >> 12n & ~0xffn)),
  ];
}

/** An extended attribute of a file; undefined where there is none, or none can be. */
export function getAttribute(
  path: string,
  name: string,
): Uint8Array<ArrayBuffer> | undefined {
  const buffer = new Uint8Array(MAX_XATTR_BYTES);
  const length = Number(
    c().lgetxattr(text(path), text(name), buffer, BigInt(buffer.length)),
  );
  return length < 0 ? undefined : buffer.slice(0, length);
}

/** Sets an extended attribute of a file. */
export function setAttribute(
  path: string,
  name: string,
  value: Uint8Array<ArrayBuffer>,
): void {
  check(
    c().lsetxattr(text(path), text(name), value, BigInt(value.length), 0),
    `set ${name} of ${path}`,
  );
}

/** Switches on the loopback interface of this network namespace. */
export function raiseLoopback(): void {
  const descriptor = c().socket(AF_INET, SOCK_DGRAM, 0);
  check(descriptor, "open a socket");
  // struct ifreq: a name of 16 bytes, then the flags.
  const request = new Uint8Array(40);
  request.set(encoder.encode("lo"));
  request[16] = IFF_UP;
  const result = c().ioctl(descriptor, SIOCSIFFLAGS, request);
  c().close(descriptor);
  check(result, "switch on the loopback interface");
}
