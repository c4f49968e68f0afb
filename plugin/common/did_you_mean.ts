// "Did you mean ...?": the known word that is closest to a misspelt one.

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
  if (known.length === 0) return undefined;
  const { closestString } = await import("@std/text/closest-string");
  const { levenshteinDistance } = await import(
    "@std/text/levenshtein-distance"
  );
  const near: string = closestString(word, known);
  return levenshteinDistance(word, near) <= Math.max(2, word.length / 3)
    ? near
    : undefined;
}
