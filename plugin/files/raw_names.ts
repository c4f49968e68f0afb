// File names that are not valid UTF-8. Deno has no way to name such a file:
// Deno.readDir() passes over it, or gives a name with U+FFFD in it that names
// nothing. find(1) prints the bytes.

/** A path that is not valid UTF-8. */
export interface RawPath {
  /** Its bytes, relative to the directory that was searched. */
  bytes: Uint8Array;
  /** Its text with U+FFFD for each byte that is not UTF-8, for patterns. */
  lossy: string;
  /** Its text for people, with such a byte as `\xNN`. */
  shown: string;
}

const SLASH = 0x2f;

/**
 * Finds what is in a directory under names that are not valid UTF-8. What is
 * below a directory with such a name is not listed.
 *
 * @param directory Its absolute path.
 * @param isRecursive False for the directory itself only.
 * @returns The paths. None on Windows and macOS, whose names are always valid,
 * and none where find(1) is missing or may not be run.
 */
export async function rawPaths(
  directory: string,
  isRecursive: boolean,
): Promise<RawPath[]> {
  if (Deno.build.os === "windows" || Deno.build.os === "darwin") return [];
  const { state } = await Deno.permissions.query({
    name: "run",
    command: "find",
  });
  if (state !== "granted") return [];
  let output: ReadableStream<Uint8Array>;
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command("find", {
      // The slash has a symlink to the directory followed.
      args: [
        `${directory}/`,
        ...(isRecursive ? [] : ["-maxdepth", "1"]),
        "-print0",
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    output = child.stdout;
  } catch {
    return [];
  }
  const prefix = new TextEncoder().encode(`${directory}/`).length;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const found: RawPath[] = [];
  let last: Uint8Array | undefined;
  for await (const path of nulTerminated(output)) {
    const bytes = path.subarray(prefix);
    try {
      decoder.decode(bytes);
    } catch {
      if (last !== undefined && isBelow(bytes, last)) continue;
      last = bytes.slice();
      found.push({
        bytes: last,
        lossy: new TextDecoder().decode(last),
        shown: shown(last),
      });
    }
  }
  await child.status;
  return found;
}

async function* nulTerminated(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array(0);
  for await (const chunk of stream) {
    const bytes = new Uint8Array(rest.length + chunk.length);
    bytes.set(rest);
    bytes.set(chunk, rest.length);
    let start = 0;
    for (let end; (end = bytes.indexOf(0, start)) >= 0; start = end + 1) {
      yield bytes.subarray(start, end);
    }
    rest = bytes.slice(start);
  }
}

/** find(1) lists a directory before what is in it. */
function isBelow(path: Uint8Array, directory: Uint8Array): boolean {
  return path.length > directory.length && path[directory.length] === SLASH &&
    directory.every((byte, at) => byte === path[at]);
}

function shown(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    text += length === 0
      ? `\\x${bytes[at]!.toString(16).padStart(2, "0")}`
      : new TextDecoder().decode(bytes.subarray(at, at + length));
    at += length || 1;
  }
  return text;
}

/** The length of the UTF-8 sequence that begins here; 0 where none does. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    try {
      decoder.decode(bytes.subarray(at, at + length));
      return length;
    } catch {
      // Longer, or not UTF-8.
    }
  }
  return 0;
}
