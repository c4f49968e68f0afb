// The pipes of a child, widened where much goes through: a wide one wakes
// either side a few times less, which takes longer than the bytes themselves.
// Linux lets a process widen its pipes; Deno has no function for it, so that
// the C library's own is called. Where that may not be (`--allow-ffi`), or is
// not Linux, pipes stay as they are.

/** How much a pipe holds that is not widened, in bytes (pipe(7)). */
export const NARROW: number = 64 * 1024;

/** How much a wide one holds, in bytes: the most that Linux grants to anyone (pipe(7)). */
export const WIDE: number = 1024 * 1024;

/** How often a pipe has been full when it is widened. */
const FULL = 4;

/**
 * How many may be wide at a time: a quarter of what Linux grants to one user's
 * pipes together (pipe(7)), who has other programs too.
 */
const MOST = 16;

let wide = 0;

/** A pipe to or from a child, of this user. */
export class Pipe {
  readonly #pid: number;
  readonly #descriptor: number;
  #full = 0;
  #isWide = false;

  /**
   * @param pid The child.
   * @param descriptor The child's descriptor of it.
   */
  constructor(pid: number, descriptor: number) {
    this.#pid = pid;
    this.#descriptor = descriptor;
  }

  /** Whether it has been widened. */
  get isWide(): boolean {
    return this.#isWide;
  }

  /**
   * Takes that bytes were there to go through it at once.
   *
   * @param count How many.
   */
  passed(count: number): void {
    if (count < NARROW || ++this.#full !== FULL || wide === MOST) return;
    this.#isWide = widen(this.#pid, this.#descriptor);
    if (this.#isWide) wide++;
  }

  /** Takes that it is used no longer. */
  close(): void {
    if (this.#isWide) wide--;
    this.#isWide = false;
    // Its process id may be another's by now.
    this.#full = FULL;
  }
}

/** `F_SETPIPE_SZ` (fcntl(2)). */
const SET_PIPE_SIZE = 1031;

/** `O_RDONLY | O_NONBLOCK | O_CLOEXEC` (open(2)), which waits for nobody at the other end. */
const READ_AT_ONCE = 0o2004000;

interface CLibrary {
  open(path: BufferSource, flags: number): number;
  fcntl(descriptor: number, command: number, argument: number): number;
  close(descriptor: number): number;
}

/** The C library; null where it cannot be called. */
let library: CLibrary | null | undefined;

/** Widens a pipe, and says whether that was granted. */
function widen(pid: number, descriptor: number): boolean {
  const c = library === undefined ? library = load() : library;
  if (c === null) return false;
  const path = new TextEncoder().encode(`/proc/${pid}/fd/${descriptor}\0`);
  // Deno tells nobody which descriptor its own end has: this is another.
  const opened = c.open(path, READ_AT_ONCE);
  if (opened === -1) return false;
  const size = c.fcntl(opened, SET_PIPE_SIZE, WIDE);
  c.close(opened);
  return size >= WIDE;
}

function load(): CLibrary | null {
  if (Deno.build.os !== "linux") return null;
  const ffi = { name: "ffi" } as const;
  if (Deno.permissions.querySync(ffi).state !== "granted") return null;
  try {
    return Deno.dlopen("libc.so.6", {
      open: { parameters: ["buffer", "i32"], result: "i32" },
      fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
      close: { parameters: ["i32"], result: "i32" },
    }).symbols as CLibrary;
  } catch {
    // Another C library, or another name for it.
    return null;
  }
}
