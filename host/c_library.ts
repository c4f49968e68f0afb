// The C library's own functions, where Deno has none for what they do. Where
// they may not be called (`--allow-ffi`), or the system is not Linux, baler
// does without.

/** What is called of the C library, each as in section 2 of Linux's manual. */
export interface CLibrary {
  open(path: BufferSource, flags: number): number;
  close(descriptor: number): number;
  fcntl(descriptor: number, command: number, argument: number): number;
  read(
    descriptor: number,
    buffer: BufferSource,
    count: number,
  ): number | bigint;
  readlink(
    path: BufferSource,
    buffer: BufferSource,
    count: number,
  ): number | bigint;
}

/** `O_RDONLY | O_NONBLOCK | O_CLOEXEC` (open(2)), which waits for nobody at the other end. */
const READ_AT_ONCE = 0o2004000;

let library: CLibrary | null | undefined;

/** The C library; null where it cannot be called. */
export function cLibrary(): CLibrary | null {
  return library === undefined ? library = load() : library;
}

/** A path as C takes it. */
export function cPath(path: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${path}\0`);
}

/**
 * Opens a child's end of a pipe, which is another descriptor of it here: Deno
 * tells nobody which one its own end has.
 *
 * @param pid The child.
 * @param descriptor The child's descriptor of it.
 * @returns A descriptor that waits for nothing; -1 where it cannot be opened.
 */
export function openPipeOf(
  c: CLibrary,
  pid: number,
  descriptor: number,
): number {
  return c.open(cPath(`/proc/${pid}/fd/${descriptor}`), READ_AT_ONCE);
}

function load(): CLibrary | null {
  if (Deno.build.os !== "linux") return null;
  const ffi = { name: "ffi" } as const;
  if (Deno.permissions.querySync(ffi).state !== "granted") return null;
  try {
    return Deno.dlopen("libc.so.6", {
      open: { parameters: ["buffer", "i32"], result: "i32" },
      close: { parameters: ["i32"], result: "i32" },
      fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
      read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
      readlink: { parameters: ["buffer", "buffer", "usize"], result: "isize" },
    }).symbols as unknown as CLibrary;
  } catch {
    // Another C library, or another name for it.
    return null;
  }
}
