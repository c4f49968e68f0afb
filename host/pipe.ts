// The pipes of a child, widened where much goes through: a wide one wakes
// either side a few times less, which takes longer than the bytes themselves.
// Linux lets a process widen its pipes; elsewhere they stay as they are.

import { cLibrary, openPipeOf } from "./c_library.ts";

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

/** Widens a pipe, and says whether that was granted. */
function widen(pid: number, descriptor: number): boolean {
  const c = cLibrary();
  if (c === null) return false;
  const opened = openPipeOf(c, pid, descriptor);
  if (opened === -1) return false;
  const size = c.fcntl(opened, SET_PIPE_SIZE, WIDE);
  c.close(opened);
  return size >= WIDE;
}
