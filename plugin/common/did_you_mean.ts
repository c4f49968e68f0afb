// "Did you mean ...?": the known word that is closest to a misspelt one.

/** The longest word that is compared, in characters: a longer one is hardly a misspelt word, and comparing it takes long. */
const MAX_WORD_LENGTH = 100;

/**
 * Returns the known word that is closest to a misspelt one, by edit distance.
 *
 * @param word The misspelt word.
 * @param known The words to choose from.
 * @returns The closest word, or undefined when none is close enough.
 */
export async function nearest(
  word: string,
  known: readonly string[],
): Promise<string | undefined> {
  if (word.length > MAX_WORD_LENGTH) return undefined;
  const most = Math.max(2, word.length / 3);
  const candidates = known.filter(({ length }) =>
    Math.abs(length - word.length) <= most
  );
  if (candidates.length === 0) return undefined;
  const { closestString } = await import("@std/text/closest-string");
  const { levenshteinDistance } = await import(
    "@std/text/levenshtein-distance"
  );
  const near: string = closestString(word, candidates);
  return levenshteinDistance(word, near) <= most ? near : undefined;
}
