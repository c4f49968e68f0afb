// Conduits: pipes of this process's own, in which the bytes of one message
// wait that only pass through. The kernel moves them there from one plugin's
// stdout, and on into another's stdin once they are whole: half a message is
// nobody's, should its writer die.

import type { Bypass, PipeEnd } from "../../plugin/rpc/splice.ts";
import { cLibrary } from "./libc.ts";
import { AT_ONCE, NARROW, WIDE, wideIsClosed, widen } from "./pipe.ts";

/** How much a conduit may be for, in bytes: a pipe also fills up with pages that are half full. */
const LARGEST = WIDE / 2 + NARROW;

/** How many there may be at a time: what a stream has under way, beside its pipes. */
const MOST = 8;

/** How much is written to a pipe that was full, in bytes, to wait until it is not: a page. */
const PAGE = 4096;

/** `SPLICE_F_MOVE | SPLICE_F_NONBLOCK` (splice(2)). */
const MOVE_AT_ONCE = 3;

/** The two ends of a pipe. */
interface Ends {
  read: number;
  write: number;
}

let open = 0;
const free: Ends[] = [];
/** Whether those that are free are kept for the next. */
let isInUse = false;

/** A pipe of this process's own, for so many bytes. */
export class Conduit implements Bypass {
  readonly length: number;
  readonly #ends: Ends;
  #left: number;
  /** How many bytes are in the pipe. */
  #piped = 0;
  /** What came behind them, and the pipe had no room for. */
  readonly #rest: Uint8Array[] = [];

  /**
   * Takes a conduit.
   *
   * @param length How many bytes it is for.
   * @returns It; undefined where none is to be had.
   */
  static take(length: number): Conduit | undefined {
    if (length > LARGEST) return undefined;
    isInUse = true;
    const ends = free.pop() ?? openPipe();
    return ends && new Conduit(ends, length);
  }

  private constructor(ends: Ends, length: number) {
    this.length = length;
    this.#ends = ends;
    this.#left = length;
  }

  get left(): number {
    return this.#left;
  }

  add(bytes: Uint8Array<ArrayBuffer>): void {
    this.#left -= bytes.length;
    if (this.#rest.length === 0) {
      const count = cLibrary()!.write(this.#ends.write, bytes, bytes.length);
      if (count > 0) {
        this.#piped += Number(count);
        bytes = bytes.subarray(Number(count));
      }
    }
    if (bytes.length > 0) this.#rest.push(bytes.slice());
  }

  moveFrom({ descriptor }: PipeEnd): number {
    if (descriptor === null || this.#rest.length > 0) return 0;
    const count = splice(descriptor, this.#ends.write, this.#left);
    this.#left -= count;
    this.#piped += count;
    return count;
  }

  async moveTo(
    pipe: PipeEnd,
    write: (bytes: Uint8Array) => Promise<void>,
  ): Promise<void> {
    try {
      while (this.#piped > 0) {
        // Asked for each time: meanwhile it may have been closed.
        const { descriptor } = pipe;
        if (descriptor === null) await write(this.#read(NARROW));
        else if (!this.#moveInto(descriptor)) await write(this.#read(PAGE));
      }
      for (const part of this.#rest) await write(part);
    } finally {
      this.drop();
    }
  }

  drop(): void {
    if (isInUse && this.#piped === 0) free.push(this.#ends);
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
    const count = Number(cLibrary()!.read(read, bytes, bytes.length));
    if (count <= 0) throw new Error("a pipe has lost what was in it");
    this.#piped -= count;
    return bytes.subarray(0, count);
  }
}

/** Closes those that are free, as the others when they are, until the next is taken. */
export function closeConduits(): void {
  isInUse = false;
  for (const ends of free.splice(0)) closePipe(ends);
}

function openPipe(): Ends | undefined {
  if (open === MOST || !canSplice()) return undefined;
  const ends = openNarrow();
  if (ends === undefined) return undefined;
  if (widen(ends.write)) {
    open++;
    return ends;
  }
  closeNarrow(ends);
  return undefined;
}

function closePipe(ends: Ends): void {
  closeNarrow(ends);
  wideIsClosed();
  open--;
}

function openNarrow(): Ends | undefined {
  const ends = new Int32Array(2);
  if (cLibrary()?.pipe2(ends, AT_ONCE) !== 0) return undefined;
  const [read, write] = ends as unknown as [number, number];
  return { read, write };
}

function closeNarrow({ read, write }: Ends): void {
  cLibrary()!.close(read);
  cLibrary()!.close(write);
}

let isAllowed: boolean | undefined;

/** Whether the kernel moves anything: a sandbox may forbid it. */
function canSplice(): boolean {
  if (isAllowed !== undefined) return isAllowed;
  const [one, other] = [openNarrow(), openNarrow()];
  if (one !== undefined && other !== undefined) {
    cLibrary()!.write(one.write, new Uint8Array(1), 1);
    isAllowed = splice(one.read, other.write, 1) === 1;
  }
  for (const ends of [one, other]) if (ends !== undefined) closeNarrow(ends);
  return isAllowed === true;
}

/** Moves bytes from pipe to pipe, and says how many: 0 where none can be moved now. */
function splice(from: number, to: number, most: number): number {
  return Math.max(
    Number(cLibrary()!.splice(from, null, to, null, most, MOVE_AT_ONCE)),
    0,
  );
}
