// Reads the stdout and the stderr of a child. Stdout is read into a reused
// buffer, busy-polled while an answer is near, or spliced into another pipe.
// Both loops yield to the event loop, however much the child writes.

import type { SpliceBuffer } from "../../plugin/rpc/payload/spliced_payload.ts";
import { DEFAULT_PIPE_BYTES, MAX_PIPE_BYTES, type Pipe } from "./pipe.ts";
import { SpinReader } from "./spin_reader.ts";

/** Receives the stdout of a child. */
export interface StdoutSink {
  /**
   * Called with each chunk, whose memory is reused after the call.
   *
   * @returns A promise where nothing more is to be read until it resolves.
   */
  onStdout(chunk: Uint8Array): void | Promise<void>;
  /** Returns the kernel buffer into which the next bytes are spliced; undefined to read them. */
  bypass?(): SpliceBuffer | undefined;
  /** Called after bytes have been spliced into that buffer. */
  onMoved?(): void;
  /** Whether the child is about to write an answer, and nothing else is in flight. */
  isAnswerNear?(): boolean;
}

/** The largest read from an enlarged pipe, in bytes: half of the pipe, so that the child can refill the rest. */
const MAX_READ_BYTES = MAX_PIPE_BYTES / 2;

/** How much is handled between two looks at the clock, in bytes: about a hundred small calls. */
const MAX_SLICE_BYTES = 64 * 1024;

/** The largest read while payloads are spliced, in bytes: the line before a payload, and little of the payload. */
const READ_BYTES_BEFORE_SPLICE = 4 * 1024;

/** How many microtasks run before the next read, so that a follow-up call made by an answer's continuation is written first. */
const MICROTASKS_BEFORE_READ = 16;

/** Busy-polling needs a second CPU: on a single one it keeps the child from running. */
const HAS_SECOND_CPU = navigator.hardwareConcurrency > 1;

/**
 * Reads stdout until its end. A read error counts as the end.
 *
 * @param reader The stream.
 * @param pipe The same pipe, for reads that bypass Deno.
 * @param sink Receives the output.
 */
export async function readStdout(
  reader: ReadableStreamBYOBReader,
  pipe: Pipe,
  { onStdout, bypass, onMoved, isAnswerNear }: StdoutSink,
): Promise<void> {
  const spinReader = new SpinReader(pipe);
  const shouldSpin = () => HAS_SECOND_CPU && isAnswerNear?.() === true;
  let buffer = new ArrayBuffer(DEFAULT_PIPE_BYTES);
  /** Whether the last bytes were spliced. */
  let isSplicing = false;
  const splice = () => {
    const target = bypass?.();
    if (target === undefined) return false;
    isSplicing = true;
    if (target.spliceFrom(pipe) === 0) return false;
    onMoved!();
    return true;
  };
  const handle = async (chunk: Uint8Array) => {
    isSplicing = bypass?.() !== undefined;
    for (let begin = 0; begin < chunk.length; begin += MAX_SLICE_BYTES) {
      const slice = chunk.subarray(begin, begin + MAX_SLICE_BYTES);
      const pause = trackBusyTime(() => onStdout(slice));
      if (pause !== undefined) await pause;
      if (
        busyInTurn >= MAX_CALLS_BUSY_MS &&
        begin + MAX_SLICE_BYTES < chunk.length
      ) await yieldToEventLoop();
    }
    while (trackBusyTime(splice)) {
      if (busyInTurn >= MAX_CALLS_BUSY_MS) await yieldToEventLoop();
    }
    if (busyInTurn >= MAX_CALLS_BUSY_MS) await yieldToEventLoop();
    // The continuation of an answer writes its next call before this waits for
    // more output.
    for (let step = 0; step < MICROTASKS_BEFORE_READ && !shouldSpin(); step++) {
      await null;
    }
  };
  for (;;) {
    while (shouldSpin()) {
      const chunk = new Uint8Array(buffer);
      const count = spinReader.read(chunk);
      if (count === 0) break;
      await handle(chunk.subarray(0, count));
    }
    let value: Uint8Array<ArrayBuffer> | undefined;
    try {
      const most = isSplicing ? READ_BYTES_BEFORE_SPLICE : buffer.byteLength;
      ({ value } = await reader.read(new Uint8Array(buffer, 0, most)));
    } catch {
      return;
    }
    // Undefined when the reader was cancelled, empty at the end.
    if (value === undefined || value.length === 0) return;
    await handle(value);
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
 * Reads stderr until its end. A read error counts as the end.
 *
 * @param reader The stream.
 * @param onStderr Called with each chunk; where it returns a promise, nothing
 * more is read until that resolves.
 */
export async function readStderr(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  onStderr: (chunk: Uint8Array) => void | Promise<void>,
): Promise<void> {
  for (;;) {
    let value: Uint8Array | undefined;
    try {
      ({ value } = await reader.read());
    } catch {
      return;
    }
    if (value === undefined) return;
    const pause = trackBusyTime(() => onStderr(value));
    if (pause !== undefined) await pause;
    if (busyInTurn >= MAX_LOG_BUSY_MS) await yieldToEventLoop();
  }
}

/**
 * How long log output may keep one turn of the event loop busy, in milliseconds.
 * A read of available bytes completes without a turn, so a flood of them would
 * block all else. The limit is below that of calls, so that no call waits for
 * log output.
 */
const MAX_LOG_BUSY_MS = 5;

/** How long messages may keep one turn of the event loop busy, in milliseconds. */
const MAX_CALLS_BUSY_MS = 25;

/** How long output has been handled in this turn of the event loop, in milliseconds. */
let busyInTurn = 0;

function trackBusyTime<T>(work: () => T): T {
  const begin = performance.now();
  const result = work();
  busyInTurn += performance.now() - begin;
  return result;
}

let turn: Promise<void> | undefined;

/** Resolves in the next turn of the event loop, for all readers at once. */
function yieldToEventLoop(): Promise<void> {
  return turn ??= new Promise((resolve) =>
    // setImmediate() would run before other pending reads are handled.
    setTimeout(() => {
      busyInTurn = 0;
      turn = undefined;
      resolve();
    }, 0)
  );
}
