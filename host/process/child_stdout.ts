// What a child writes: its stdout, read into the same memory time and again,
// read on the spot, or moved past this process; and its stderr. However much of
// it there is, the event loop has its turns.

import type { Bypass } from "../../plugin/rpc/splice.ts";
import { NARROW, type Pipe, WIDE } from "./pipe.ts";
import { PromptReader } from "./spin_reader.ts";

/** Who takes what a child writes to its stdout. */
export interface StdoutTaker {
  /** Called with each piece of it, which is used again afterwards. */
  onStdout(chunk: Uint8Array): void;
  /** Where what it writes next goes, if past this process's memory. */
  bypass?(): Bypass | undefined;
  /** Called when something of it has been moved there. */
  onMoved?(): void;
  /** Whether it is to write at once, and all waits for that. */
  isAnswerNear?(): boolean;
}

/** How much is read at a time from a wide pipe, in bytes: half of it, while the rest fills up. */
const HALF = WIDE / 2;

/** How much is read, in bytes, where the next may go past this process: a line, and little of what is behind it. */
const LINE = 4 * 1024;

/** In how many steps of its promises a host makes the next call and writes it, if it does at once. */
const STEPS = 16;

/** With one processor alone, nobody answers while somebody looks. */
const HAS_ANOTHER = navigator.hardwareConcurrency > 1;

// A pipe that cannot be read is at its end.

/**
 * Takes all that comes on stdout.
 *
 * @param reader Reads it as Deno does.
 * @param pipe Its pipe.
 * @param taker Who takes it.
 */
export async function takeStdout(
  reader: ReadableStreamBYOBReader,
  pipe: Pipe,
  { onStdout, bypass, onMoved, isAnswerNear }: StdoutTaker,
): Promise<void> {
  const prompt = new PromptReader(pipe);
  const isNear = () => HAS_ANOTHER && isAnswerNear?.() === true;
  let buffer = new ArrayBuffer(NARROW);
  /** Whether the last that came went past this process's memory. */
  let isPassing = false;
  const move = () => {
    const way = bypass?.();
    if (way === undefined) return false;
    isPassing = true;
    if (way.moveFrom(pipe) === 0) return false;
    onMoved!();
    return true;
  };
  const taken = async (chunk: Uint8Array) => {
    isPassing = bypass?.() !== undefined;
    busily(() => onStdout(chunk));
    while (busily(move)) {
      if (busyInTurn >= BUSY_WITH_CALLS) await nextTurn();
    }
    if (busyInTurn >= BUSY_WITH_CALLS) await nextTurn();
    // What is called now that an answer has come is to be on its way before
    // this begins to wait for the next.
    for (let step = 0; step < STEPS && !isNear(); step++) await null;
  };
  for (;;) {
    while (isNear()) {
      const chunk = new Uint8Array(buffer);
      const count = prompt.read(chunk);
      if (count === 0) break;
      await taken(chunk.subarray(0, count));
    }
    let value: Uint8Array<ArrayBuffer> | undefined;
    try {
      const most = isPassing ? LINE : buffer.byteLength;
      ({ value } = await reader.read(new Uint8Array(buffer, 0, most)));
    } catch {
      return;
    }
    // Absent where the reading was given up, empty at the end.
    if (value === undefined || value.length === 0) return;
    await taken(value);
    if (value.length === NARROW) pipe.passed(NARROW);
    buffer = value.buffer;
    if (pipe.isWide && buffer.byteLength < HALF) buffer = new ArrayBuffer(HALF);
  }
}

/**
 * Takes all that comes on stderr.
 *
 * @param reader Reads it.
 * @param take Takes each piece.
 */
export async function takeStderr(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  take: (chunk: Uint8Array) => void,
): Promise<void> {
  for (;;) {
    let value: Uint8Array | undefined;
    try {
      ({ value } = await reader.read());
    } catch {
      return;
    }
    if (value === undefined) return;
    busily(() => take(value));
    if (busyInTurn >= BUSY_WITH_LOG) await nextTurn();
  }
}

/**
 * How long a flood may keep a turn of the event loop busy, in milliseconds:
 * where more is there at once, it is read without a turn, and all else waits.
 * Calls do not wait for what is logged.
 */
const BUSY_WITH_LOG = 5;
const BUSY_WITH_CALLS = 25;

let busyInTurn = 0;

function busily<T>(work: () => T): T {
  const begin = performance.now();
  const result = work();
  busyInTurn += performance.now() - begin;
  return result;
}

let turn: Promise<void> | undefined;

/** The next turn of the event loop, which all wait for who want to read more. */
function nextTurn(): Promise<void> {
  return turn ??= new Promise((resolve) =>
    // An immediate would come before what there is to be read elsewhere.
    setTimeout(() => {
      busyInTurn = 0;
      turn = undefined;
      resolve();
    }, 0)
  );
}
