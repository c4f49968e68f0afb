// The log of a process that runs several plugins. It writes the lines of all of
// them to its stderr, each prefixed by the label of its plugin and a colon; in
// the log the label becomes the tag of the line.

import type { Log } from "./log.ts";

const NEWLINE = 10;

/** The log of such a process. */
export class LabelledLog implements Log {
  readonly #log: Log;
  /** Each label, and the bytes of its prefix. */
  readonly #labels = new Map<string, Uint8Array>();

  /**
   * @param log The log to which the lines are written.
   */
  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Adds a plugin.
   *
   * @param label Its label.
   */
  add(label: string): void {
    this.#labels.set(label, new TextEncoder().encode(`${label}: `));
  }

  /** Writes lines; consecutive lines with the same label in one write. */
  async write(
    name: string,
    lines: readonly string[] | Uint8Array,
  ): Promise<void> {
    if (!(lines instanceof Uint8Array)) {
      return await this.#log.write(name, lines);
    }
    // The caller may change the bytes while the writes are pending.
    const bytes = lines.slice();
    for (let start = 0; start < bytes.length;) {
      const label = this.#labelAt(bytes, start);
      const run: Uint8Array[] = [];
      do {
        const end = endOfLine(bytes, start);
        const skipped = label === undefined
          ? 0
          : this.#labels.get(label)!.length;
        run.push(bytes.subarray(start + skipped, end));
        start = end;
      } while (start < bytes.length && this.#labelAt(bytes, start) === label);
      await this.#log.write(label ?? name, joined(run));
    }
  }

  /** Replaces secrets in a text. */
  redact(text: string): string {
    return this.#log.redact?.(text) ?? text;
  }

  #labelAt(bytes: Uint8Array, start: number): string | undefined {
    for (const [label, beginning] of this.#labels) {
      if (beginning.every((byte, index) => bytes[start + index] === byte)) {
        return label;
      }
    }
  }
}

function endOfLine(bytes: Uint8Array, start: number): number {
  const end = bytes.indexOf(NEWLINE, start);
  return end < 0 ? bytes.length : end + 1;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Uint8Array(
    parts.reduce((length, part) => length + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
