// Redacts a part of a secret in a text that was cut inside of the secret: the
// beginning of the secret before `...` or at the end of the text, and the end of
// the secret after `...` or at the beginning of the text.

/** The shortest part of a short secret that is looked for, in characters. */
const MIN_PART_LENGTH = 4;

/** The shortest part of a long secret that is looked for, in characters. */
const MIN_PART_LENGTH_OF_LONG = 8;

/** Which ends of a text were cut off. */
export interface CutEnds {
  /** Whether the text was cut off at its beginning. */
  readonly before?: boolean;
  /** Whether the text was cut off at its end. */
  readonly after?: boolean;
}

/**
 * Returns the length of the shortest part of a secret that is looked for. A
 * shorter one may occur by chance.
 *
 * @param secret The secret.
 */
export function leastPart(secret: string): number {
  const half = Math.ceil(secret.length / 2);
  return Math.max(MIN_PART_LENGTH, Math.min(MIN_PART_LENGTH_OF_LONG, half));
}

// A quote may stand between the text and the dots.
const CUT_BEHIND = /["'`]? ?(?:\.\.\.|…)/y;

/** Replaces the parts of one secret. */
export class CutSecret {
  readonly #secret: string;
  readonly #mark: string;
  /** The reversed secret, whose beginnings are the ends of the secret. */
  readonly #reversed: string;
  #borders: Uint32Array | undefined;
  #reversedBorders: Uint32Array | undefined;

  /**
   * @param secret The secret; longer than its {@linkcode leastPart}.
   * @param mark The replacement for a part.
   */
  constructor(secret: string, mark: string) {
    this.#secret = secret;
    this.#mark = mark;
    this.#reversed = reverse(secret);
  }

  /**
   * Replaces the parts of the secret that stand at a cut.
   *
   * @param text The text; it does not contain the whole secret.
   * @param cut Which of its ends were cut off.
   */
  replaceIn(text: string, { before = false, after = false }: CutEnds): string {
    const least = leastPart(this.#secret);
    let seen = text;
    if (seen.includes(this.#secret.slice(0, least))) {
      this.#borders ??= bordersOf(this.#secret);
      seen = withoutBeginnings(
        seen,
        this.#secret,
        this.#borders,
        this.#mark,
        (at) => {
          CUT_BEHIND.lastIndex = at;
          return CUT_BEHIND.test(seen) || after && at === seen.length;
        },
      );
    }
    if (seen.includes(this.#secret.slice(-least))) {
      this.#reversedBorders ??= bordersOf(this.#reversed);
      const mirrored = reverse(seen);
      const without = withoutBeginnings(
        mirrored,
        this.#reversed,
        this.#reversedBorders,
        reverse(this.#mark),
        (at) =>
          mirrored.startsWith("...", at) || mirrored[at] === "…" ||
          before && at === mirrored.length,
      );
      if (without !== mirrored) seen = reverse(without);
    }
    return seen;
  }
}

/** Reverses the UTF-16 units of a string. */
function reverse(text: string): string {
  let reversed = "";
  // In pieces, since an array of all units of a long string takes much memory.
  for (let end = text.length; end > 0; end -= PIECE_LENGTH) {
    const piece = text.slice(Math.max(0, end - PIECE_LENGTH), end);
    reversed += piece.split("").reverse().join("");
  }
  return reversed;
}

const PIECE_LENGTH = 64 * 1024;

/**
 * Returns, for each prefix of the secret, the length of the longest proper
 * prefix that is also its suffix (Knuth, Morris and Pratt). With it a text is
 * searched in time linear in its length.
 */
function bordersOf(secret: string): Uint32Array {
  const borders = new Uint32Array(secret.length + 1);
  for (let length = 2, border = 0; length <= secret.length; length++) {
    while (border > 0 && secret[border] !== secret[length - 1]) {
      border = borders[border]!;
    }
    if (secret[border] === secret[length - 1]) border++;
    borders[length] = border;
  }
  return borders;
}

/** Replaces the beginnings of a secret that end at a cut. */
function withoutBeginnings(
  text: string,
  secret: string,
  borders: Uint32Array,
  mark: string,
  isCut: (at: number) => boolean,
): string {
  const least = leastPart(secret);
  let seen = "";
  let copied = 0;
  let matched = 0;
  for (let at = 0; at < text.length; at++) {
    while (
      matched > 0 &&
      (matched === secret.length || secret[matched] !== text[at])
    ) matched = borders[matched]!;
    if (secret[matched] === text[at]) matched++;
    if (matched < least || !isCut(at + 1)) continue;
    const start = at + 1 - matched;
    if (start < copied) continue;
    seen += text.slice(copied, start) + mark;
    copied = at + 1;
  }
  return copied === 0 ? text : seen + text.slice(copied);
}
