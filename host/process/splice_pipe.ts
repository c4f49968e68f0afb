// A pool of pipes that stage one message body for zero-copy forwarding. splice(2)
// moves the body from the sender's stdout into a staging pipe and, once it is
// complete, on into the receiver's stdin. A sender that dies in the middle of a
// message can therefore not leave a truncated message in the receiver's stdin.

import type {
  PipeEnd,
  SpliceBuffer,
} from "../../plugin/rpc/payload/spliced_payload.ts";
import { libc } from "./libc.ts";
import {
  DEFAULT_PIPE_BYTES,
  enlargePipe,
  MAX_PIPE_BYTES,
  NONBLOCK_CLOEXEC,
  releaseEnlargedPipe,
} from "./pipe.ts";

/** The longest message body that is staged, in bytes. A pipe holds less than its capacity when its pages are only partly filled. */
const MAX_STAGED_BYTES = MAX_PIPE_BYTES / 2 + DEFAULT_PIPE_BYTES;

/** How many staging pipes may be open at a time: as many as one stream has chunks in flight. */
const MAX_OPEN_PIPES = 8;

/** How much is written through Deno when the receiver's pipe is full, in bytes: one page, whose write completes when there is room. */
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
/** Whether released pipes go back to the pool instead of being closed. */
let keepPooled = false;

/** A staging pipe for one message body. */
export class SplicePipe implements SpliceBuffer {
  readonly length: number;
  readonly #ends: Ends;
  #left: number;
  /** How many bytes are in the pipe. */
  #piped = 0;
  /** The bytes that did not fit; written after the contents of the pipe. */
  readonly #overflow: Uint8Array[] = [];

  /**
   * Acquires a pipe from the pool.
   *
   * @param length The length of the message body, in bytes.
   * @returns The pipe; undefined when the body is too long or no pipe is free.
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
    this.#left = length;
  }

  get remaining(): number {
    return this.#left;
  }

  append(bytes: Uint8Array<ArrayBuffer>): void {
    this.#left -= bytes.length;
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
    const count = splice(descriptor, this.#ends.write, this.#left);
    this.#left -= count;
    this.#piped += count;
    return count;
  }

  async spliceTo(
    pipe: PipeEnd,
    write: (bytes: Uint8Array) => Promise<void>,
  ): Promise<void> {
    try {
      while (this.#piped > 0) {
        // Read in each round: the pipe may have been closed meanwhile.
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

  /** Moves as many bytes as there is room for; returns whether there was room for any. */
  #spliceInto(descriptor: number): boolean {
    const count = splice(this.#ends.read, descriptor, this.#piped);
    this.#piped -= count;
    return count > 0;
  }

  /** Reads up to the given number of bytes from the pipe. */
  #read(most: number): Uint8Array {
    const bytes = new Uint8Array(Math.min(most, this.#piped));
    const { read } = this.#ends;
    const count = Number(libc()!.read(read, bytes, bytes.length));
    if (count <= 0) throw new Error("unexpected end of a staging pipe");
    this.#piped -= count;
    return bytes.subarray(0, count);
  }
}

/** Closes the pooled pipes; the others are closed on release, until the next pipe is acquired. */
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

/** Moves bytes from one pipe to another; returns their number, 0 when none can be moved now. */
function splice(from: number, to: number, most: number): number {
  return Math.max(
    Number(libc()!.splice(from, null, to, null, most, SPLICE_FLAGS)),
    0,
  );
}
