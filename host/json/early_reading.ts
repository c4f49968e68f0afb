// A file that was read before the command that needs it was loaded, so that it
// is read and parsed once.

/** A file's text and the value of its JSON. */
export interface EarlyReading {
  readonly text: string;
  readonly value: unknown;
}

let kept: { path: string; reading: EarlyReading } | undefined;

/**
 * Reads a JSON file, and keeps what was read for {@linkcode takeEarlyReading}.
 *
 * @param path The file; not the standard input or another pipe, which can be
 * read only once.
 * @returns Its value; undefined where it cannot be read or is not JSON. The
 * error is left to whoever reads it again.
 */
export function readEarly(path: string): unknown {
  try {
    if (!Deno.statSync(path).isFile) return undefined;
    const text = Deno.readTextFileSync(path);
    const value = JSON.parse(text);
    kept = { path, reading: { text, value } };
    return value;
  } catch {
    return undefined;
  }
}

/**
 * Takes what {@linkcode readEarly} has read.
 *
 * @param path The file, as it was named there.
 * @returns Its text and value; undefined unless it was the last file read, and
 * not taken before.
 */
export function takeEarlyReading(path: string): EarlyReading | undefined {
  if (kept?.path !== path) return undefined;
  const { reading } = kept;
  kept = undefined;
  return reading;
}
