// A secret of which a text has only a part, since the text was cut inside of
// it: its beginning before `...` or at the end of the text, its end behind `...`
// or at the beginning of the text.

/** The shortest part of a secret that is looked for, and that of a long one. */
const MIN_PART_LENGTH = 4;
const USUAL_PART_LENGTH = 8;

/** At which of its ends a text is only a part of a longer one. */
export interface CutEnds {
  /** Whether something stood before it. */
  readonly before?: boolean;
  /** Whether something stands behind it. */
  readonly after?: boolean;
}

/**
 * How many characters of a secret are looked for at least. Fewer may stand
 * there by chance.
 *
 * @param secret The secret.
 */
export function leastPart(secret: string): number {
  const half = Math.ceil(secret.length / 2);
  return Math.max(MIN_PART_LENGTH, Math.min(USUAL_PART_LENGTH, half));
}

// A quote may stand between the text and the dots.
const CUT_BEHIND = /["'`]? ?(?:\.\.\.|…)/y;

/** Replaces the parts of one secret. */
export class CutSecret {
  readonly #secret: string;
  readonly #mark: string;
  /** The same text read from its end, in which the end is the beginning. */
  readonly #reversed: string;
  #borders: Uint32Array | undefined;
  #reversedBorders: Uint32Array | undefined;

  /**
   * @param secret The secret; longer than its least part.
   * @param mark What is put in place of a part.
   */
  constructor(secret: string, mark: string) {
    this.#secret = secret;
    this.#mark = mark;
    this.#reversed = reverse(secret);
  }

  /**
   * A text without the parts of the secret that stand at a cut.
   *
   * @param text The text; it does not have the whole secret in it.
   * @param cut At which of its ends it was cut.
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

/** A string with its UTF-16 units in the opposite order. */
function reverse(text: string): string {
  let reversed = "";
  // Piece by piece, since an array of all units of a long string takes much memory.
  for (let end = text.length; end > 0; end -= PIECE_LENGTH) {
    const piece = text.slice(Math.max(0, end - PIECE_LENGTH), end);
    reversed += piece.split("").reverse().join("");
  }
  return reversed;
}

const PIECE_LENGTH = 64 * 1024;

/**
 * For each length, the length of the longest beginning that is also the end
 * of the secret's first so many characters (Knuth, Morris and Pratt), by which
 * a text is searched in time that grows with its length alone.
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

/** A text without the beginnings of a secret that end at a cut. */
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
