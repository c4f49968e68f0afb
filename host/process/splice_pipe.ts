// The zero-copy path: a pool of pipes that stage one payload each. splice(2) moves the
// payload from the stdout of one plugin into a staging pipe and, once it is
// complete, on into the stdin of another. Staging the whole payload guarantees
// that a sender that dies in the middle leaves no half message in the receiver's stdin.

import type {
  PipeEnd,
  SpliceBuffer,
  SpliceTransport,
} from "../../plugin/rpc/transport.ts";
import type { ChildStdin } from "./child_stdin.ts";
import { libc } from "./libc.ts";
import {
  DEFAULT_PIPE_BYTES,
  enlargePipe,
  MAX_PIPE_BYTES,
  NONBLOCK_CLOEXEC,
  type Pipe,
  releaseEnlargedPipe,
} from "./pipe.ts";

/** The least payload that is spliced instead of copied, in bytes. */
const MIN_SPLICE_BYTES = DEFAULT_PIPE_BYTES;

/** The largest payload that is staged, in bytes: less than a pipe holds, since its pages can be half full. */
const MAX_STAGED_BYTES = MAX_PIPE_BYTES / 2 + DEFAULT_PIPE_BYTES;

/** The most staging pipes: as many as a stream has payloads in flight. */
const MAX_OPEN_PIPES = 8;

/** How much is written to a full pipe to wait for room in it, in bytes: a page. */
const PAGE_BYTES = 4096;

/** `SPLICE_F_MOVE | SPLICE_F_NONBLOCK` (splice(2)). */
const SPLICE_FLAGS = 3;

/** The two ends of a pipe. */
interface Ends {
  read: number;
  write: number;
}

let open = 0;
const free: Ends[] = [];
/** Whether pipes are kept in the pool when they are released. */
let keepPooled = false;

/**
 * Returns the splice feature of a child's transport.
 *
 * @param stdin Its stdin.
 * @param stdout Its stdout.
 */
export function childSplice(stdin: ChildStdin, stdout: Pipe): SpliceTransport {
  return {
    acquire: (length) =>
      length >= MIN_SPLICE_BYTES && stdout.isEnlarged
        ? SplicePipe.acquire(length)
        : undefined,
    write: (buffer) =>
      stdin.writeWith(
        buffer.length,
        (pipe, write) => buffer.spliceTo(pipe, write),
      ),
  };
}

/** A staging pipe for one payload. */
export class SplicePipe implements SpliceBuffer {
  readonly length: number;
  readonly #ends: Ends;
  #remaining: number;
  /** How many bytes are in the pipe. */
  #piped = 0;
  /** Bytes that did not fit, written behind the content of the pipe. */
  readonly #overflow: Uint8Array[] = [];

  /**
   * Acquires a pipe from the pool.
   *
   * @param length The length of the payload, in bytes.
   * @returns The pipe; undefined where none is available.
   */
  static acquire(length: number): SplicePipe | undefined {
    if (length > MAX_STAGED_BYTES) return undefined;
    keepPooled = true;
    const ends = free.pop() ?? openPipe();
    return ends && new SplicePipe(ends, length);
  }

  private constructor(ends: Ends, length: number) {
    this.length = length;
    this.#ends = ends;
    this.#remaining = length;
  }

  get remaining(): number {
    return this.#remaining;
  }

  append(bytes: Uint8Array<ArrayBuffer>): void {
    this.#remaining -= bytes.length;
    if (this.#overflow.length === 0) {
      const count = libc()!.write(this.#ends.write, bytes, bytes.length);
      if (count > 0) {
        this.#piped += Number(count);
        bytes = bytes.subarray(Number(count));
      }
    }
    if (bytes.length > 0) this.#overflow.push(bytes.slice());
  }

  spliceFrom({ descriptor }: PipeEnd): number {
    if (descriptor === null || this.#overflow.length > 0) return 0;
    const count = splice(descriptor, this.#ends.write, this.#remaining);
    this.#remaining -= count;
    this.#piped += count;
    return count;
  }

  async spliceTo(
    pipe: PipeEnd,
    write: (bytes: Uint8Array) => Promise<void>,
  ): Promise<void> {
    try {
      while (this.#piped > 0) {
        // Read each time: the pipe may have been closed meanwhile.
        const { descriptor } = pipe;
        if (descriptor === null) await write(this.#read(DEFAULT_PIPE_BYTES));
        else if (!this.#spliceInto(descriptor)) {
          await write(this.#read(PAGE_BYTES));
        }
      }
      for (const part of this.#overflow) await write(part);
    } finally {
      this.release();
    }
  }

  release(): void {
    if (keepPooled && this.#piped === 0) free.push(this.#ends);
    else closePipe(this.#ends);
  }

  /** Moves what the other pipe has room for, and returns whether it had any. */
  #spliceInto(descriptor: number): boolean {
    const count = splice(this.#ends.read, descriptor, this.#piped);
    this.#piped -= count;
    return count > 0;
  }

  /** Reads some of the content of the pipe. */
  #read(maxBytes: number): Uint8Array {
    const bytes = new Uint8Array(Math.min(maxBytes, this.#piped));
    const { read } = this.#ends;
    const count = Number(libc()!.read(read, bytes, bytes.length));
    if (count <= 0) throw new Error("unexpected end of the staging pipe");
    this.#piped -= count;
    return bytes.subarray(0, count);
  }
}

/** Closes the pipes in the pool, and those in use when they are released, until the next one is acquired. */
export function closePooledPipes(): void {
  keepPooled = false;
  for (const ends of free.splice(0)) closePipe(ends);
}

function openPipe(): Ends | undefined {
  if (open === MAX_OPEN_PIPES || !canSplice()) return undefined;
  const ends = openDefaultPipe();
  if (ends === undefined) return undefined;
  if (enlargePipe(ends.write)) {
    open++;
    return ends;
  }
  closeEnds(ends);
  return undefined;
}

function closePipe(ends: Ends): void {
  closeEnds(ends);
  releaseEnlargedPipe();
  open--;
}

function openDefaultPipe(): Ends | undefined {
  const ends = new Int32Array(2);
  if (libc()?.pipe2(ends, NONBLOCK_CLOEXEC) !== 0) return undefined;
  const [read, write] = ends as unknown as [number, number];
  return { read, write };
}

function closeEnds({ read, write }: Ends): void {
  libc()!.close(read);
  libc()!.close(write);
}

let isSpliceSupported: boolean | undefined;

/** Whether splice(2) works: a sandbox may forbid it. */
function canSplice(): boolean {
  if (isSpliceSupported !== undefined) return isSpliceSupported;
  const [one, other] = [openDefaultPipe(), openDefaultPipe()];
  if (one !== undefined && other !== undefined) {
    libc()!.write(one.write, new Uint8Array(1), 1);
    isSpliceSupported = splice(one.read, other.write, 1) === 1;
  }
  for (const ends of [one, other]) if (ends !== undefined) closeEnds(ends);
  return isSpliceSupported === true;
}

/** Moves bytes from pipe to pipe, and returns how many: 0 where none can be moved now. */
function splice(from: number, to: number, maxBytes: number): number {
  return Math.max(
    Number(libc()!.splice(from, null, to, null, maxBytes, SPLICE_FLAGS)),
    0,
  );
}
