// Reads the output of a child. Its stdout is read asynchronously into reused memory,
// by busy-polling while an answer is near, or moved out of the pipe without being
// read. Its stderr is read asynchronously. A flood of either yields to the event loop.

import type { SpliceTarget } from "../../plugin/rpc/transport.ts";
import { DEFAULT_PIPE_BYTES, MAX_PIPE_BYTES, type Pipe } from "./pipe.ts";
import { SpinReader } from "./spin_reader.ts";

/** What takes the stdout of a child. */
export interface StdoutSink {
  /**
   * Called with each chunk, whose memory is reused after the call.
   *
   * @returns A promise if nothing more must be read until it resolves.
   */
  receive(chunk: Uint8Array): void | Promise<void>;
  /** Called at the end of the stream. */
  end(): void;
  /** Returns what moves the next bytes out of the pipe; undefined where they must be read. */
  spliceTarget(): SpliceTarget | undefined;
  /** Whether this host waits for nothing but an answer of the child, which it gives soon. */
  isAnswerNear(): boolean;
}

/** The largest read from an enlarged pipe, in bytes: half of the pipe, so that the child can refill it meanwhile. */
const MAX_READ_BYTES = MAX_PIPE_BYTES / 2;

/** How much is handled between two checks of the time, in bytes: some hundred small calls. */
const MAX_SLICE_BYTES = 64 * 1024;

/** The largest read while payloads are spliced, in bytes: a line, and little of the payload behind it. */
const READ_BYTES_BEFORE_SPLICE = 4 * 1024;

/** How many microtasks run before the next read, so that a call that the continuation of an answer makes is written first. */
const MICROTASKS_BEFORE_READ = 16;

/** Busy-polling needs a second CPU: on a single one it keeps the child from running. */
const HAS_SECOND_CPU = navigator.hardwareConcurrency > 1;

/**
 * Reads stdout to its end. A pipe that cannot be read is at its end.
 *
 * @param reader Deno's reader of the pipe.
 * @param pipe The same pipe.
 * @param sink What takes the output.
 * @param isStdinIdle Returns whether all that was written to the child's stdin is written.
 */
export async function readStdout(
  reader: ReadableStreamBYOBReader,
  pipe: Pipe,
  sink: StdoutSink,
  isStdinIdle: () => boolean,
): Promise<void> {
  const spinReader = new SpinReader(pipe);
  const shouldSpin = () =>
    HAS_SECOND_CPU && isStdinIdle() && sink.isAnswerNear();
  let buffer = new ArrayBuffer(DEFAULT_PIPE_BYTES);
  /** Whether the last payload was spliced: the next one may be, too. */
  let isSplicing = false;
  const splice = () => {
    const target = sink.spliceTarget();
    if (target === undefined) return false;
    isSplicing = true;
    return target.spliceFrom(pipe) > 0;
  };
  const handle = async (chunk: Uint8Array) => {
    isSplicing = sink.spliceTarget() !== undefined;
    for (let begin = 0; begin < chunk.length; begin += MAX_SLICE_BYTES) {
      const slice = chunk.subarray(begin, begin + MAX_SLICE_BYTES);
      const pause = trackBusyTime(() => sink.receive(slice));
      if (pause !== undefined) await pause;
      if (
        busyMs >= MAX_CALLS_BUSY_MS &&
        begin + MAX_SLICE_BYTES < chunk.length
      ) await yieldToEventLoop();
    }
    while (trackBusyTime(splice)) {
      if (busyMs >= MAX_CALLS_BUSY_MS) await yieldToEventLoop();
    }
    if (busyMs >= MAX_CALLS_BUSY_MS) await yieldToEventLoop();
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
      const maxBytes = isSplicing
        ? READ_BYTES_BEFORE_SPLICE
        : buffer.byteLength;
      ({ value } = await reader.read(new Uint8Array(buffer, 0, maxBytes)));
    } catch {
      return;
    }
    // Undefined if the reader was cancelled, empty at the end.
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
 * Reads stderr to its end.
 *
 * @param reader Deno's reader of the pipe.
 * @param onChunk Called with each chunk. Returns a promise if nothing more must
 * be read until it resolves.
 */
export async function readStderr(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  onChunk: (chunk: Uint8Array) => void | Promise<void>,
): Promise<void> {
  for (;;) {
    let value: Uint8Array | undefined;
    try {
      ({ value } = await reader.read());
    } catch {
      return;
    }
    if (value === undefined) return;
    const pause = trackBusyTime(() => onChunk(value));
    if (pause !== undefined) await pause;
    if (busyMs >= MAX_LOG_BUSY_MS) await yieldToEventLoop();
  }
}

/**
 * How long a flood of log output may keep the event loop busy, in milliseconds.
 * Reads of available data need no turn of the loop, so that timers would wait.
 * Less than for calls, which must not wait for the log.
 */
const MAX_LOG_BUSY_MS = 5;

/** How long a flood of calls may keep the event loop busy, in milliseconds. */
const MAX_CALLS_BUSY_MS = 25;

/** How long this turn of the event loop has been busy, in milliseconds. */
let busyMs = 0;

function trackBusyTime<T>(work: () => T): T {
  const begin = performance.now();
  const result = work();
  busyMs += performance.now() - begin;
  return result;
}

let turn: Promise<void> | undefined;

/** Resolves in the next turn of the event loop, which all readers wait for. */
function yieldToEventLoop(): Promise<void> {
  return turn ??= new Promise((resolve) =>
    // An immediate would run before the reads of other pipes.
    setTimeout(() => {
      busyMs = 0;
      turn = undefined;
      resolve();
    }, 0)
  );
}
