// Functions of the C library for which Deno has no equivalent. Without the
// permission for foreign functions (`--allow-ffi`), and on systems other than
// Linux, the callers fall back to slower ways.

/** The functions that are called, each as in section 2 of Linux's manual. */
export interface Libc {
  pipe2(ends: BufferSource, flags: number): number;
  open(path: BufferSource, flags: number): number;
  close(descriptor: number): number;
  fcntl(descriptor: number, command: number, argument: number): number;
  read(
    descriptor: number,
    buffer: BufferSource,
    count: number,
  ): number | bigint;
  write(
    descriptor: number,
    buffer: BufferSource,
    count: number,
  ): number | bigint;
  splice(
    from: number,
    fromOffset: null,
    to: number,
    toOffset: null,
    count: number,
    flags: number,
  ): number | bigint;
  readlink(
    path: BufferSource,
    buffer: BufferSource,
    count: number,
  ): number | bigint;
  prctl(
    option: number,
    second: bigint,
    third: bigint,
    fourth: bigint,
    fifth: bigint,
  ): number;
  waitpid(pid: number, status: null, options: number): number;
  sysconf(name: number): number | bigint;
  /** Where the pointer to the environment is: a list of strings that ends with a null pointer (environ(7)). */
  readonly environ: Deno.PointerValue;
}

let library: Libc | null | undefined;

/** Returns the C library; null where it cannot be called. */
export function libc(): Libc | null {
  return library === undefined ? library = load() : library;
}

/** Encodes a path as a string that ends with NUL. */
export function cString(path: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${path}\0`);
}

function load(): Libc | null {
  if (Deno.build.os !== "linux") return null;
  const ffi = { name: "ffi" } as const;
  if (Deno.permissions.querySync(ffi).state !== "granted") return null;
  try {
    return Deno.dlopen("libc.so.6", {
      open: { parameters: ["buffer", "i32"], result: "i32" },
      close: { parameters: ["i32"], result: "i32" },
      fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
      pipe2: { parameters: ["buffer", "i32"], result: "i32" },
      read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
      write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
      splice: {
        parameters: ["i32", "pointer", "i32", "pointer", "usize", "u32"],
        result: "isize",
      },
      readlink: { parameters: ["buffer", "buffer", "usize"], result: "isize" },
      prctl: {
        parameters: ["i32", "usize", "usize", "usize", "usize"],
        result: "i32",
      },
      sysconf: { parameters: ["i32"], result: "isize" },
      environ: { type: "pointer" },
      waitpid: { parameters: ["i32", "pointer", "i32"], result: "i32" },
    }).symbols as unknown as Libc;
  } catch {
    // The system has another C library, or it has another name.
    return null;
  }
}
