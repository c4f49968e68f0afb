// The redactor replaces the values of sensitive variables in everything that the
// host shows and logs, also where a value is encoded or cut off.

import { type CutEnds, CutSecret, leastPart } from "./cut_secret.ts";

export type { CutEnds } from "./cut_secret.ts";

/** What is shown in place of a secret. */
const SHOWN = "<sensitive>";

/**
 * Stands for {@linkcode SHOWN} until all secrets are replaced, so that none of
 * them, `"s"` for example, is found in it; a character that no text uses.
 */
const MARK = "\u{10fffd}";

/** The longest value that is looked for with any of its characters escaped, in characters. */
const MAX_PATTERN_LENGTH = 1000;

/** The shortest line of a value that is a secret of its own, in characters. */
const MIN_LINE_LENGTH = 4;

/** The shortest part of a value's base64 that is a secret of its own, in characters. */
const MIN_BASE64_LENGTH = 6;

const encoder = new TextEncoder();

/** Replaces secrets in texts. */
export class Redactor {
  readonly #values = new Set<string>();
  #literals: string[] = [];
  #patterns: RegExp[] = [];
  /** The secrets of which a part is looked for at a cut. */
  #cutSecrets: CutSecret[] = [];

  /**
   * Adds secrets. Each value is replaced as it is, line by line, with any of its
   * characters percent-encoded as in a URL or escaped by a backslash as in JSON,
   * and in base64, also as a part of a longer text.
   *
   * @param values The values; empty ones are ignored.
   */
  add(values: Iterable<string>): void {
    const literals = new Set(this.#literals);
    for (const value of values) {
      if (value === "") continue;
      for (const part of [value, value.trim(), ...value.split(/\r?\n/)]) {
        if (part === value || part.trim().length >= MIN_LINE_LENGTH) {
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
        /[^A-Za-z0-9]/.test(value) && value.length <= MAX_PATTERN_LENGTH
      )
      .sort(longestFirst)
      .map((value) => new RegExp(escapedPattern(value), "g"));
    this.#setCutSecrets();
  }

  #setCutSecrets(): void {
    const literals = new Set(this.#literals);
    for (const value of this.#values) {
      literals.add(JSON.stringify(value).slice(1, -1));
      literals.add(encodeURIComponent(value.toWellFormed()));
    }
    this.#cutSecrets = [...literals]
      .filter((literal) => literal.length > leastPart(literal))
      .map((literal) => new CutSecret(literal, MARK));
  }

  /** Whether there are secrets. */
  get hasSecrets(): boolean {
    return this.#literals.length > 0;
  }

  /**
   * Replaces each secret in a text by `<sensitive>`; idempotent.
   *
   * A part of a secret is also replaced where the text was cut off: before and
   * after `...`, and at the ends that `cut` names.
   *
   * @param text The text.
   * @param cut Which ends of the text were cut off.
   */
  readonly redact = (text: string, cut: CutEnds = {}): string => {
    let seen = text.includes(SHOWN) ? text.replaceAll(SHOWN, MARK) : text;
    const before = seen;
    if (this.#patterns.length > 0 && /[%+\\]/.test(text)) {
      for (const pattern of this.#patterns) seen = seen.replace(pattern, MARK);
    }
    for (const literal of this.#literals) {
      if (seen.includes(literal)) seen = seen.replaceAll(literal, MARK);
    }
    if (cut.before || cut.after || /\.\.\.|…/.test(seen)) {
      seen = this.#withoutParts(seen, cut);
    }
    return seen === before ? text : seen.replaceAll(MARK, SHOWN);
  };

  #withoutParts(text: string, cut: CutEnds): string {
    let seen = text;
    for (const secret of this.#cutSecrets) seen = secret.replaceIn(seen, cut);
    return seen;
  }
}

const LETTERS: Record<string, string> = { "\n": "n", "\r": "r", "\t": "t" };

/** Returns the pattern of a value any of whose characters may be escaped. */
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
 * Returns the parts of a text's base64 that do not depend on the characters
 * around the text: for each of the three alignments, in both alphabets.
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
    if (inner.length < MIN_BASE64_LENGTH) continue;
    all.push(inner);
    if (before === 0) all.push(whole, whole.replace(/=+$/, ""));
  }
  return all.flatMap((one) => [
    one,
    one.replaceAll("+", "-").replaceAll("/", "_"),
  ]);
}
