// The pipes between a child and this process, as descriptors of the kernel:
// Deno tells nobody which ones its own have. Those through which much goes are
// widened: a wide pipe wakes either side a few times less, which takes longer
// than the bytes themselves. Linux lets a process do all this; elsewhere pipes
// stay as they are.

import { cString, type Libc, libc } from "./libc.ts";

/** How much a pipe holds that is not widened, in bytes (pipe(7)). */
export const DEFAULT_PIPE_BYTES: number = 64 * 1024;

/** How much a wide one holds, in bytes: the most that Linux grants to anyone (pipe(7)). */
export const MAX_PIPE_BYTES: number = 1024 * 1024;

/** How often a pipe has been full when it is widened. */
const FULL_TRANSFERS_TO_ENLARGE = 4;

/**
 * How many may be wide at a time, this process's own among them: a quarter of
 * what Linux grants to one user's pipes together (pipe(7)), who has other
 * programs too.
 */
const MAX_ENLARGED_PIPES = 16;

let wide = 0;

/** Among how many of this process's descriptors its own end of a pipe is looked for. */
const MOST_DESCRIPTORS = 1024;

/** `O_NONBLOCK | O_CLOEXEC` (open(2), pipe(2)): to wait for nobody at the other end, and be no child's. */
export const NONBLOCK_CLOEXEC = 0o2004000;
const READ_ONLY = 0;
const WRITE_ONLY = 1;

/** `F_SETPIPE_SZ` (fcntl(2)). */
const SET_PIPE_SIZE = 1031;

/** A pipe to or from a child, of this user. */
export class Pipe {
  readonly #pid: number;
  readonly #stream: 0 | 1;
  /** This end of it, opened once more; null where it cannot be. */
  #descriptor: number | null | undefined;
  #full = 0;
  #isWide = false;

  /**
   * @param pid The child.
   * @param stream What it is to the child: its stdin, 0, or its stdout, 1.
   */
  constructor(pid: number, stream: 0 | 1) {
    this.#pid = pid;
    this.#stream = stream;
  }

  /** Whether it has been widened. */
  get isEnlarged(): boolean {
    return this.#isWide;
  }

  /**
   * A descriptor of this end, for which nothing waits; null where there is
   * none. While it is open the child does not see the end of its stdin.
   */
  get descriptor(): number | null {
    if (this.#descriptor === undefined) {
      const c = libc();
      this.#descriptor = c && openOurs(c, this.#pid, this.#stream);
    }
    return this.#descriptor;
  }

  /**
   * Takes that bytes were there to go through it at once.
   *
   * @param count How many.
   */
  recordTransfer(count: number): void {
    if (
      count < DEFAULT_PIPE_BYTES || ++this.#full !== FULL_TRANSFERS_TO_ENLARGE
    ) return;
    this.#isWide = this.descriptor !== null && enlargePipe(this.descriptor);
  }

  /** Takes that it is used no longer. */
  close(): void {
    if (this.#isWide) releaseEnlargedPipe();
    this.#isWide = false;
    this.#full = FULL_TRANSFERS_TO_ENLARGE;
    if (typeof this.#descriptor === "number") {
      libc()!.close(this.#descriptor);
    }
    // Its process id may be another's by now.
    this.#descriptor = null;
  }
}

/**
 * Widens a pipe.
 *
 * @param descriptor An end of it.
 * @returns Whether that was granted; then {@linkcode releaseEnlargedPipe} is to follow.
 */
export function enlargePipe(descriptor: number): boolean {
  if (wide === MAX_ENLARGED_PIPES) return false;
  if (
    libc()!.fcntl(descriptor, SET_PIPE_SIZE, MAX_PIPE_BYTES) < MAX_PIPE_BYTES
  ) return false;
  wide++;
  return true;
}

/** Takes that a wide pipe is closed. */
export function releaseEnlargedPipe(): void {
  wide--;
}

/** Opens a stream of a child; null where that is no pipe between it and this process. */
function openOurs(c: Libc, pid: number, stream: 0 | 1): number | null {
  const opened = c.open(
    cString(`/proc/${pid}/fd/${stream}`),
    NONBLOCK_CLOEXEC | (stream === 0 ? WRITE_ONLY : READ_ONLY),
  );
  if (opened === -1) return null;
  const target = targetOf(c, opened);
  if (target?.startsWith("pipe:")) {
    for (let other = 0; other < MOST_DESCRIPTORS; other++) {
      if (other !== opened && targetOf(c, other) === target) return opened;
    }
  }
  c.close(opened);
  return null;
}

/** What a descriptor of this process is open on. */
function targetOf(c: Libc, descriptor: number): string | undefined {
  const name = new Uint8Array(64);
  const path = cString(`/proc/self/fd/${descriptor}`);
  const length = Number(c.readlink(path, name, name.length));
  return length === -1
    ? undefined
    : new TextDecoder().decode(name.subarray(0, length));
}
