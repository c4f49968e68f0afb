// The redactor keeps the values of sensitive variables out of all that the
// host shows and logs, as they are and as they are usually written elsewhere.

/** What is shown in place of a secret. */
const SHOWN = "<sensitive>";

/**
 * What stands there until all secrets are replaced, so that none of them, `"s"`
 * for example, is found in `<sensitive>`; a character that no text uses.
 */
const MARK = "\u{10fffd}";

/** The longest value that is looked for with its characters escaped in any way. */
const LONGEST_PATTERN = 1000;

/** How short a line or a piece of base64 may be and still tell something. */
const SHORTEST_LINE = 4;
const SHORTEST_BASE64 = 6;

const encoder = new TextEncoder();

/** Replaces secrets in texts. */
export class Redactor {
  readonly #values = new Set<string>();
  #literals: string[] = [];
  #patterns: RegExp[] = [];

  /**
   * Keeps more values secret from now on: as they are, each line of them, with
   * any of their characters percent-encoded as in a URL or behind a backslash
   * as in JSON, and in base64, also as a part of something longer.
   *
   * @param values The values; empty ones are no secret.
   */
  add(values: Iterable<string>): void {
    const literals = new Set(this.#literals);
    for (const value of values) {
      if (value === "") continue;
      for (const part of [value, value.trim(), ...value.split(/\r?\n/)]) {
        if (part === value || part.trim().length >= SHORTEST_LINE) {
          this.#values.add(part);
          literals.add(part);
        }
      }
      for (const text of base64Of(value)) literals.add(text);
      for (const text of base64Of(value.trim())) literals.add(text);
    }
    // The longest first: one secret may be a part of another.
    const longestFirst = (a: string, b: string) => b.length - a.length;
    this.#literals = [...literals].sort(longestFirst);
    this.#patterns = [...this.#values]
      .filter((value) =>
        /[^A-Za-z0-9]/.test(value) && value.length <= LONGEST_PATTERN
      )
      .sort(longestFirst)
      .map((value) => new RegExp(escapedPattern(value), "g"));
  }

  /** Whether there is anything to keep secret. */
  get hasSecrets(): boolean {
    return this.#literals.length > 0;
  }

  /** A text with `<sensitive>` in place of each secret. */
  readonly redact = (text: string): string => {
    let seen = text;
    if (this.#patterns.length > 0 && /[%+\\]/.test(text)) {
      for (const pattern of this.#patterns) seen = seen.replace(pattern, MARK);
    }
    for (const literal of this.#literals) {
      if (seen.includes(literal)) seen = seen.replaceAll(literal, MARK);
    }
    return seen === text ? text : seen.replaceAll(MARK, SHOWN);
  };
}

const LETTERS: Record<string, string> = { "\n": "n", "\r": "r", "\t": "t" };

/** The pattern of a value whose characters may be escaped, each in its own way. */
function escapedPattern(value: string): string {
  return value.replace(/\\+|[^A-Za-z0-9]/gu, (found) => {
    // A pattern for each of many backslashes would have many ways to match.
    if (found.startsWith("\\")) {
      return `(?:(?:\\\\|%5[cC]){${found.length},${4 * found.length}})`;
    }
    const code = found.charCodeAt(0);
    const raw = found.replace(/[^\w\s]/g, "\\$&");
    const units = Array.from(
      { length: found.length },
      (_, index) =>
        `\\\\{1,4}u${
          anyCase(found.charCodeAt(index).toString(16).padStart(4, "0"))
        }`,
    );
    const percent = Array.from(
      encoder.encode(found),
      (byte) => `%${anyCase(byte.toString(16).padStart(2, "0"))}`,
    );
    return `(?:${
      [
        code < 0x80 ? `\\\\{0,3}${raw}` : found,
        percent.join(""),
        units.join(""),
        ...found === " " ? ["\\+"] : [],
        ...Object.hasOwn(LETTERS, found) ? [`\\\\{1,4}${LETTERS[found]}`] : [],
      ].join("|")
    })`;
  });
}

function anyCase(hex: string): string {
  return hex.replace(
    /[a-f]/g,
    (letter) => `[${letter}${letter.toUpperCase()}]`,
  );
}

/**
 * What of a text's base64 does not depend on what stands around the text: at
 * each of the three places where it may begin, in both alphabets.
 */
function base64Of(text: string): string[] {
  const all: string[] = [];
  const bytes = Array.from(
    encoder.encode(text),
    (byte) => String.fromCharCode(byte),
  ).join("");
  for (const before of [0, 1, 2]) {
    const whole = btoa("\0".repeat(before) + bytes);
    const first = Math.ceil(before * 8 / 6);
    const last = Math.floor((before + bytes.length) * 8 / 6);
    const inner = whole.slice(first, last);
    if (inner.length < SHORTEST_BASE64) continue;
    all.push(inner);
    if (before === 0) all.push(whole, whole.replace(/=+$/, ""));
  }
  return all.flatMap((one) => [
    one,
    one.replaceAll("+", "-").replaceAll("/", "_"),
  ]);
}
