// Conduits: pipes of this process's own, in which the bytes of one message
// wait that only pass through. The kernel moves them there from one plugin's
// stdout, and on into another's stdin once they are whole: half a message is
// nobody's, should its writer die.

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

/** The longest message body that is staged, in bytes: a pipe also fills up with pages that are half full. */
const MAX_STAGED_BYTES = MAX_PIPE_BYTES / 2 + DEFAULT_PIPE_BYTES;

/** How many there may be at a time: what a stream has in flight, beside its pipes. */
const MAX_OPEN_PIPES = 8;

/** How much is written to a pipe that was full, in bytes, to wait until it is not: a page. */
const PAGE = 4096;

/** `SPLICE_F_MOVE | SPLICE_F_NONBLOCK` (splice(2)). */
const SPLICE_FLAGS = 3;

/** The two ends of a pipe. */
interface Ends {
  read: number;
  write: number;
}

let open = 0;
const free: Ends[] = [];
/** Whether those that are free are kept for the next. */
let keepPooled = false;

/** A pipe of this process's own, for so many bytes. */
export class SplicePipe implements SpliceBuffer {
  readonly length: number;
  readonly #ends: Ends;
  #left: number;
  /** How many bytes are in the pipe. */
  #piped = 0;
  /** What came behind them, and the pipe had no room for. */
  readonly #rest: Uint8Array[] = [];

  /**
   * Acquires a pipe from the pool.
   *
   * @param length How many bytes it is for.
   * @returns It; undefined where none is to be had.
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
    if (this.#rest.length === 0) {
      const count = libc()!.write(this.#ends.write, bytes, bytes.length);
      if (count > 0) {
        this.#piped += Number(count);
        bytes = bytes.subarray(Number(count));
      }
    }
    if (bytes.length > 0) this.#rest.push(bytes.slice());
  }

  spliceFrom({ descriptor }: PipeEnd): number {
    if (descriptor === null || this.#rest.length > 0) return 0;
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
        // Asked for each time: meanwhile it may have been closed.
        const { descriptor } = pipe;
        if (descriptor === null) await write(this.#read(DEFAULT_PIPE_BYTES));
        else if (!this.#moveInto(descriptor)) await write(this.#read(PAGE));
      }
      for (const part of this.#rest) await write(part);
    } finally {
      this.release();
    }
  }

  release(): void {
    if (keepPooled && this.#piped === 0) free.push(this.#ends);
    else closePipe(this.#ends);
  }

  /** Moves what there is room for, and says whether there was any. */
  #moveInto(descriptor: number): boolean {
    const count = splice(this.#ends.read, descriptor, this.#piped);
    this.#piped -= count;
    return count > 0;
  }

  /** Reads what there is in the pipe, so many bytes at the most. */
  #read(most: number): Uint8Array {
    const bytes = new Uint8Array(Math.min(most, this.#piped));
    const { read } = this.#ends;
    const count = Number(libc()!.read(read, bytes, bytes.length));
    if (count <= 0) throw new Error("a pipe has lost what was in it");
    this.#piped -= count;
    return bytes.subarray(0, count);
  }
}

/** Closes those that are free, as the others when they are, until the next is taken. */
export function closePooledPipes(): void {
  keepPooled = false;
  for (const ends of free.splice(0)) closePipe(ends);
}

function openPipe(): Ends | undefined {
  if (open === MAX_OPEN_PIPES || !canSplice()) return undefined;
  const ends = openNarrow();
  if (ends === undefined) return undefined;
  if (enlargePipe(ends.write)) {
    open++;
    return ends;
  }
  closeNarrow(ends);
  return undefined;
}

function closePipe(ends: Ends): void {
  closeNarrow(ends);
  releaseEnlargedPipe();
  open--;
}

function openNarrow(): Ends | undefined {
  const ends = new Int32Array(2);
  if (libc()?.pipe2(ends, NONBLOCK_CLOEXEC) !== 0) return undefined;
  const [read, write] = ends as unknown as [number, number];
  return { read, write };
}

function closeNarrow({ read, write }: Ends): void {
  libc()!.close(read);
  libc()!.close(write);
}

let isSpliceSupported: boolean | undefined;

/** Whether the kernel moves anything: a sandbox may forbid it. */
function canSplice(): boolean {
  if (isSpliceSupported !== undefined) return isSpliceSupported;
  const [one, other] = [openNarrow(), openNarrow()];
  if (one !== undefined && other !== undefined) {
    libc()!.write(one.write, new Uint8Array(1), 1);
    isSpliceSupported = splice(one.read, other.write, 1) === 1;
  }
  for (const ends of [one, other]) if (ends !== undefined) closeNarrow(ends);
  return isSpliceSupported === true;
}

/** Moves bytes from pipe to pipe, and says how many: 0 where none can be moved now. */
function splice(from: number, to: number, most: number): number {
  return Math.max(
    Number(libc()!.splice(from, null, to, null, most, SPLICE_FLAGS)),
    0,
  );
}
