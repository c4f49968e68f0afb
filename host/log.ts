// The log: what the host and its plugins did, line by line, for the person
// who looks for the reason of something. Off unless BALER_LOG asks for it.

/** Takes whole lines, each with the name of who wrote it. */
export interface Log {
  /**
   * Writes lines of one writer.
   *
   * @param name Who wrote them: `"ui"`, or a plugin's path.
   * @param lines The lines, without their ends.
   */
  write(name: string, lines: readonly (string | Uint8Array)[]): void;
}

/** The log that keeps nothing. */
export const NO_LOG: Log = { write() {} };

/** Where a log goes. */
export interface LogTarget {
  /** Writes some of the bytes, and says how many. */
  writeSync(bytes: Uint8Array): number;
  /** Whether a person looks at it, whose terminal escape codes would reach. */
  isTerminal(): boolean;
}

/** What a log is made of. */
export interface LogOptions {
  /** Where it goes; each target gets every line. */
  targets: readonly LogTarget[];
  /**
   * Makes a line fit to be seen, for example without the values of sensitive
   * variables. Looked up for each write: it may come and go.
   */
  readonly redact?: ((line: string) => string) | undefined;
  /** The time, for the beginning of each line. */
  now?(): Date;
}

const encoder = new TextEncoder();
const NEWLINE = 10;

/**
 * Makes a log of lines like
 *
 *     2013/06/10 21:44:43 /opt/baler-builder-x: Plugin started
 *
 * The text of a line is relayed byte for byte, except where it would harm a
 * terminal or show what must not be seen.
 *
 * @param options Where it goes, and how.
 */
export function createLog(options: LogOptions): Log {
  const { targets, now = () => new Date() } = options;
  const terminals = targets.filter((target) => target.isTerminal());
  const files = targets.filter((target) => !target.isTerminal());
  let second = -1;
  let time = "";
  return {
    write(name, lines) {
      if (lines.length === 0) return;
      const date = now();
      const thisSecond = Math.floor(date.valueOf() / 1000);
      if (thisSecond !== second) {
        second = thisSecond;
        time = formatTime(date);
      }
      const prefix = encoder.encode(`${time} ${name}: `);
      const { redact } = options;
      const bytes = joined(
        prefix,
        lines.map((line) => bytesOf(line, redact)),
      );
      for (const file of files) writeAll(file, bytes);
      if (terminals.length > 0) {
        const harmless = encoder.encode(harmlessText(decode(bytes)));
        for (const terminal of terminals) writeAll(terminal, harmless);
      }
    },
  };
}

/** Lines, each with the prefix before it and an end behind it. */
function joined(prefix: Uint8Array, lines: readonly Uint8Array[]): Uint8Array {
  let length = lines.length * (prefix.length + 1);
  for (const line of lines) length += line.length;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const line of lines) {
    bytes.set(prefix, offset);
    bytes.set(line, offset += prefix.length);
    bytes[offset += line.length] = NEWLINE;
    offset++;
  }
  return bytes;
}

function bytesOf(
  line: string | Uint8Array,
  redact: LogOptions["redact"],
): Uint8Array {
  if (redact !== undefined) {
    const text = typeof line === "string" ? line : decode(line);
    const seen = redact(text);
    // Unchanged bytes stay as they are, valid UTF-8 or not.
    if (seen !== text) return encoder.encode(seen);
  }
  return typeof line === "string" ? encoder.encode(line) : line;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/**
 * A text in which control characters can be seen instead of obeyed.
 *
 * @param text The text; its line ends and tabs stay.
 */
export function harmlessText(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex
    /[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]/g,
    (character) => {
      const code = character.charCodeAt(0);
      return code < 0x20
        ? String.fromCharCode(0x2400 + code)
        : code === 0x7f
        ? "\u2421"
        : `\\x${code.toString(16)}`;
    },
  );
}

function formatTime(date: Date): string {
  const two = (number: number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}/${two(date.getMonth() + 1)}/${
    two(date.getDate())
  } ${two(date.getHours())}:${two(date.getMinutes())}:${
    two(date.getSeconds())
  }`;
}

function writeAll(target: LogTarget, bytes: Uint8Array): void {
  while (bytes.length > 0) bytes = bytes.subarray(target.writeSync(bytes));
}
