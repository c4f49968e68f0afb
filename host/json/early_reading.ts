// Keeps a file that was read before the command that needs it was loaded, so that
// it is read and parsed only once.

/** The content of a file, and its JSON value. */
export interface EarlyReading {
  readonly text: string;
  readonly value: unknown;
}

let kept: { path: string; reading: EarlyReading } | undefined;

/**
 * Reads a JSON file, and keeps its content for {@linkcode takeEarlyReading}.
 *
 * @param path The file; a pipe is not read, since that is possible only once.
 * @returns Its value; undefined when it cannot be read or is not JSON. The
 * error is reported when the file is read again.
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
 * Returns the content that {@linkcode readEarly} has kept, once.
 *
 * @param path The same path.
 * @returns The content and value; undefined unless it was the last file read.
 */
export function takeEarlyReading(path: string): EarlyReading | undefined {
  if (kept?.path !== path) return undefined;
  const { reading } = kept;
  kept = undefined;
  return reading;
}
