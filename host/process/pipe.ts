// The pipes between a child and this process, as file descriptors. Deno does not
// expose the descriptors of its own pipes, so they are opened again through
// /proc. A busy pipe is enlarged: both sides then wake up less often, which
// costs more than copying the bytes. Linux only; elsewhere pipes keep their size.

import { cString, type Libc, libc } from "./libc.ts";

/** The default capacity of a pipe, in bytes (pipe(7)). */
export const DEFAULT_PIPE_BYTES: number = 64 * 1024;

/** The capacity of an enlarged pipe, in bytes: the most that Linux grants to an unprivileged process (pipe(7)). */
export const MAX_PIPE_BYTES: number = 1024 * 1024;

/** After how many transfers of a full pipe it is enlarged. */
const FULL_TRANSFERS_TO_ENLARGE = 4;

/**
 * How many pipes may be enlarged at a time, staging pipes included: a quarter of
 * what Linux grants to all pipes of one user (pipe(7)), since the user runs
 * other programs too.
 */
const MAX_ENLARGED_PIPES = 16;

let enlargedCount = 0;

/** This process's own end of a pipe is looked for among the descriptors below this one. */
const MAX_DESCRIPTOR = 1024;

/** `O_NONBLOCK | O_CLOEXEC` (open(2), pipe(2)): reads and writes fail with EAGAIN instead of blocking, and no child inherits the descriptor. */
export const NONBLOCK_CLOEXEC = 0o2004000;
const READ_ONLY = 0;
const WRITE_ONLY = 1;

/** `F_SETPIPE_SZ` (fcntl(2)). */
const SET_PIPE_SIZE = 1031;

/** A pipe to or from a child. */
export class Pipe {
  readonly #pid: number;
  readonly #stream: 0 | 1;
  /** This end of the pipe, opened again; null where that fails. */
  #descriptor: number | null | undefined;
  #fullTransfers = 0;
  #isEnlarged = false;

  /**
   * @param pid The process id of the child.
   * @param stream The descriptor in the child: 0 for stdin, 1 for stdout.
   */
  constructor(pid: number, stream: 0 | 1) {
    this.#pid = pid;
    this.#stream = stream;
  }

  /** Whether the pipe has been enlarged. */
  get isEnlarged(): boolean {
    return this.#isEnlarged;
  }

  /**
   * A non-blocking descriptor of this end; null where there is none. While it
   * is open the child does not see the end of its stdin.
   */
  get descriptor(): number | null {
    if (this.#descriptor === undefined) {
      const c = libc();
      this.#descriptor = c && openOurs(c, this.#pid, this.#stream);
    }
    return this.#descriptor;
  }

  /**
   * Records a transfer; enlarges the pipe after FULL_TRANSFERS_TO_ENLARGE full
   * ones.
   *
   * @param count How many bytes were available at once.
   */
  recordTransfer(count: number): void {
    if (
      count < DEFAULT_PIPE_BYTES ||
      ++this.#fullTransfers !== FULL_TRANSFERS_TO_ENLARGE
    ) return;
    this.#isEnlarged = this.descriptor !== null && enlargePipe(this.descriptor);
  }

  /** Closes the descriptor; the pipe is not used any more. */
  close(): void {
    if (this.#isEnlarged) releaseEnlargedPipe();
    this.#isEnlarged = false;
    this.#fullTransfers = FULL_TRANSFERS_TO_ENLARGE;
    if (typeof this.#descriptor === "number") {
      libc()!.close(this.#descriptor);
    }
    // It must not be opened again: the process id may have been reused.
    this.#descriptor = null;
  }
}

/**
 * Enlarges a pipe.
 *
 * @param descriptor A descriptor of either end.
 * @returns Whether it was enlarged; then call {@linkcode releaseEnlargedPipe}
 * when it is closed.
 */
export function enlargePipe(descriptor: number): boolean {
  if (enlargedCount === MAX_ENLARGED_PIPES) return false;
  if (
    libc()!.fcntl(descriptor, SET_PIPE_SIZE, MAX_PIPE_BYTES) < MAX_PIPE_BYTES
  ) return false;
  enlargedCount++;
  return true;
}

/** Called when an enlarged pipe is closed: another one may be enlarged. */
export function releaseEnlargedPipe(): void {
  enlargedCount--;
}

/** Opens a stream of a child; returns null when it is not a pipe between the child and this process. */
function openOurs(c: Libc, pid: number, stream: 0 | 1): number | null {
  const opened = c.open(
    cString(`/proc/${pid}/fd/${stream}`),
    NONBLOCK_CLOEXEC | (stream === 0 ? WRITE_ONLY : READ_ONLY),
  );
  if (opened === -1) return null;
  const target = targetOf(c, opened);
  if (target?.startsWith("pipe:")) {
    for (let other = 0; other < MAX_DESCRIPTOR; other++) {
      if (other !== opened && targetOf(c, other) === target) return opened;
    }
  }
  c.close(opened);
  return null;
}

/** Returns the file that a descriptor of this process refers to. */
function targetOf(c: Libc, descriptor: number): string | undefined {
  const name = new Uint8Array(64);
  const path = cString(`/proc/self/fd/${descriptor}`);
  const length = Number(c.readlink(path, name, name.length));
  return length === -1
    ? undefined
    : new TextDecoder().decode(name.subarray(0, length));
}
