// Line ends as a shell wants them.

const CR = 13;
const LF = 10;

/**
 * Turns Windows line ends into Unix ones on the way: `\r\n` becomes `\n`, and a
 * `\r` at the very end goes.
 *
 * @returns What a script's bytes are piped through.
 */
export function normalizeLineEndings(): TransformStream<
  Uint8Array,
  Uint8Array
> {
  // A \r at the end of a chunk waits for what comes after it.
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
