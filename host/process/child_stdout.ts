// What a child writes: its stdout, read into the same memory time and again,
// read on the spot, or moved past this process; and its stderr. However much of
// it there is, the event loop has its turns.

import type { SpliceBuffer } from "../../plugin/rpc/payload/spliced_payload.ts";
import { DEFAULT_PIPE_BYTES, MAX_PIPE_BYTES, type Pipe } from "./pipe.ts";
import { SpinReader } from "./spin_reader.ts";

/** Who takes what a child writes to its stdout. */
export interface StdoutSink {
  /**
   * Called with each chunk, whose memory is reused after the call.
   *
   * @returns A promise where nothing more is to be read until it resolves.
   */
  onStdout(chunk: Uint8Array): void | Promise<void>;
  /** Where what it writes next goes, if past this process's memory. */
  bypass?(): SpliceBuffer | undefined;
  /** Called when something of it has been moved there. */
  onMoved?(): void;
  /** Whether it is to write at once, and all waits for that. */
  isAnswerNear?(): boolean;
}

/** How much is read at a time from a wide pipe, in bytes: half of it, while the rest fills up. */
const MAX_READ_BYTES = MAX_PIPE_BYTES / 2;

/** How much is handled between two looks at the clock, in bytes: some hundred small calls. */
const MAX_SLICE_BYTES = 64 * 1024;

/** How much is read, in bytes, where the next may go past this process: a line, and little of what is behind it. */
const READ_BYTES_BEFORE_SPLICE = 4 * 1024;

/** In how many steps of its promises a host makes the next call and writes it, if it does at once. */
const MICROTASKS_BEFORE_READ = 16;

/** With one processor alone, nobody answers while somebody looks. */
const HAS_SECOND_CPU = navigator.hardwareConcurrency > 1;

// A pipe that cannot be read is at its end.

/**
 * Takes all that comes on stdout.
 *
 * @param reader Reads it as Deno does.
 * @param pipe Its pipe.
 * @param taker Who takes it.
 */
export async function readStdout(
  reader: ReadableStreamBYOBReader,
  pipe: Pipe,
  { onStdout, bypass, onMoved, isAnswerNear }: StdoutSink,
): Promise<void> {
  const prompt = new SpinReader(pipe);
  const shouldSpin = () => HAS_SECOND_CPU && isAnswerNear?.() === true;
  let buffer = new ArrayBuffer(DEFAULT_PIPE_BYTES);
  /** Whether the last that came went past this process's memory. */
  let isPassing = false;
  const move = () => {
    const way = bypass?.();
    if (way === undefined) return false;
    isPassing = true;
    if (way.spliceFrom(pipe) === 0) return false;
    onMoved!();
    return true;
  };
  const taken = async (chunk: Uint8Array) => {
    isPassing = bypass?.() !== undefined;
    for (let begin = 0; begin < chunk.length; begin += MAX_SLICE_BYTES) {
      const slice = chunk.subarray(begin, begin + MAX_SLICE_BYTES);
      const pause = trackBusyTime(() => onStdout(slice));
      if (pause !== undefined) await pause;
      if (
        busyInTurn >= BUSY_WITH_CALLS &&
        begin + MAX_SLICE_BYTES < chunk.length
      ) await yieldToEventLoop();
    }
    while (trackBusyTime(move)) {
      if (busyInTurn >= BUSY_WITH_CALLS) await yieldToEventLoop();
    }
    if (busyInTurn >= BUSY_WITH_CALLS) await yieldToEventLoop();
    // What is called now that an answer has come is to be on its way before
    // this begins to wait for the next.
    for (let step = 0; step < MICROTASKS_BEFORE_READ && !shouldSpin(); step++) {
      await null;
    }
  };
  for (;;) {
    while (shouldSpin()) {
      const chunk = new Uint8Array(buffer);
      const count = prompt.read(chunk);
      if (count === 0) break;
      await taken(chunk.subarray(0, count));
    }
    let value: Uint8Array<ArrayBuffer> | undefined;
    try {
      const most = isPassing ? READ_BYTES_BEFORE_SPLICE : buffer.byteLength;
      ({ value } = await reader.read(new Uint8Array(buffer, 0, most)));
    } catch {
      return;
    }
    // Absent where the reading was given up, empty at the end.
    if (value === undefined || value.length === 0) return;
    await taken(value);
    if (value.length === DEFAULT_PIPE_BYTES) {
      pipe.recordTransfer(DEFAULT_PIPE_BYTES);
    }
    buffer = value.buffer;
    if (pipe.isEnlarged && buffer.byteLength < MAX_READ_BYTES) {
      buffer = new ArrayBuffer(MAX_READ_BYTES);
    }
  }
}

/**
 * Takes all that comes on stderr.
 *
 * @param reader Reads it.
 * @param take Takes each piece.
 */
export async function readStderr(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  take: (chunk: Uint8Array) => void | Promise<void>,
): Promise<void> {
  for (;;) {
    let value: Uint8Array | undefined;
    try {
      ({ value } = await reader.read());
    } catch {
      return;
    }
    if (value === undefined) return;
    const pause = trackBusyTime(() => take(value));
    if (pause !== undefined) await pause;
    if (busyInTurn >= BUSY_WITH_LOG) await yieldToEventLoop();
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

function trackBusyTime<T>(work: () => T): T {
  const begin = performance.now();
  const result = work();
  busyInTurn += performance.now() - begin;
  return result;
}

let turn: Promise<void> | undefined;

/** The next turn of the event loop, which all wait for who want to read more. */
function yieldToEventLoop(): Promise<void> {
  return turn ??= new Promise((resolve) =>
    // An immediate would come before what there is to be read elsewhere.
    setTimeout(() => {
      busyInTurn = 0;
      turn = undefined;
      resolve();
    }, 0)
  );
}
