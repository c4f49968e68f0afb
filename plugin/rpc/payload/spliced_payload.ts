// Bypasses: the chunks of a stream that only passes through this process need
// not come into its memory. The kernel moves them from pipe to pipe, which
// takes a fraction of what reading and writing them does.

/** This process's end of a pipe. */
export interface PipeEnd {
  /** Its descriptor; null where it has none, or no longer. */
  readonly descriptor: number | null;
}

/** A way past this process's memory, for bytes whose number is known. */
export interface SpliceBuffer {
  /** How many bytes there are, those still to come among them. */
  readonly length: number;
  /** How many bytes are still to come. */
  readonly remaining: number;
  /** Takes bytes that have been read all the same, which are copied. */
  append(bytes: Uint8Array): void;
  /**
   * Takes what there is of them in a pipe, without waiting.
   *
   * @param pipe The pipe.
   * @returns How many bytes that was.
   */
  spliceFrom(pipe: PipeEnd): number;
  /**
   * Passes all of them on, and is at its end.
   *
   * @param pipe The pipe that they go into.
   * @param write Waits for room in that pipe, and writes to it.
   */
  spliceTo(
    pipe: PipeEnd,
    write: (bytes: Uint8Array) => Promise<void>,
  ): Promise<void>;
  /** Lets go of what has come, which goes nowhere. */
  release(): void;
}

/** Chunks that have come past this process's memory, and are to be passed on. */
export class SplicedChunks {
  /** The length of each, in bytes. */
  readonly lengths: readonly number[];
  /** Where they are. */
  readonly bypass: SpliceBuffer;

  /**
   * @param lengths The length of each chunk, in bytes.
   * @param bypass Where they are.
   */
  constructor(lengths: readonly number[], bypass: SpliceBuffer) {
    this.lengths = lengths;
    this.bypass = bypass;
  }
}

/**
 * The line of the message that answers a stream's read with chunks of bytes, as
 * it is written for such chunks.
 *
 * @param call The read's number.
 * @param lengths The length of each chunk, in bytes.
 */
export function chunkResponseLine(
  call: number,
  lengths: readonly number[],
): string {
  const bytes = `"bytes":[${lengths.join()}]`;
  if (lengths.length === 1) {
    return `{"json":{"return":${call},"value":{"done":false,"value":0},${bytes}},"meta":{"values":{"value.value":[["custom","bytes"]]},"v":1}}`;
  }
  const indexes = lengths.map((_, index) => index).join();
  const notes = lengths.map((_, index) =>
    `"value.values.${index}":[["custom","bytes"]]`
  ).join();
  return `{"json":{"return":${call},"value":{"done":false,"values":[${indexes}]},${bytes}},"meta":{"values":{${notes}},"v":1}}`;
}
