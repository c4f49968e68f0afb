// Line endings of a script for a Unix shell.

const CR = 13;
const LF = 10;

/**
 * Converts Windows line endings to Unix ones: `\r\n` becomes `\n`, and a `\r` at
 * the very end is removed.
 *
 * @returns A stream to pipe a script's bytes through.
 */
export function normalizeLineEndings(): TransformStream<
  Uint8Array,
  Uint8Array
> {
  // A \r at the end of a chunk is kept until the next byte is known.
  let held = false;
  return new TransformStream({
    transform(chunk, controller) {
      const out = new Uint8Array(chunk.length + 1);
      let length = 0;
      for (const byte of chunk) {
        if (held && byte !== LF) out[length++] = CR;
        held = byte === CR;
        if (!held) out[length++] = byte;
      }
      if (length > 0) controller.enqueue(out.subarray(0, length));
    },
  });
}
