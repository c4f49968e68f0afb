// The provisioners and post-processors of each builder, as `only`, `except` and
// the flag -except select them.

import type { PostProcessorEntry } from "../template/template.ts";

/**
 * Returns the entries of each builder. As in Packer, `only` and `except` refer to
 * builders by their names before interpolation.
 *
 * @param entries The provisioners, or a sequence of post-processors.
 * @param builders The names of the builders.
 */
export function byBuilder<
  Entry extends { only: readonly string[]; except: readonly string[] },
>(
  entries: readonly Entry[],
  builders: readonly string[],
): Map<string, Entry[]> {
  const isNamed = new Set(entries.flatMap(namedBy));
  const common = entries.filter(({ only }) => only.length === 0);
  const found = new Map(
    builders.map((
      name,
    ): [string, Entry[]] => [name, isNamed.has(name) ? [] : common]),
  );
  const named = builders.filter((name) => isNamed.has(name));
  for (const entry of entries) {
    const except = new Set(entry.except);
    const names = entry.only.length > 0
      ? new Set(entry.only)
      : named.filter((name) => !except.has(name));
    for (const name of names) found.get(name)?.push(entry);
  }
  return found;
}

/**
 * Returns the builders that an entry names.
 *
 * @param entry The entry.
 */
export function namedBy(
  { only, except }: { only: readonly string[]; except: readonly string[] },
): readonly string[] {
  return [...only, ...except];
}

/**
 * Returns a sequence of post-processors up to the first one that -except matches,
 * as Packer does.
 *
 * @param sequence The sequence.
 * @param excepted The post-processors that -except matches.
 */
export function truncateAtExcepted(
  sequence: readonly PostProcessorEntry[],
  excepted: ReadonlySet<PostProcessorEntry>,
): readonly PostProcessorEntry[] {
  const end = sequence.findIndex((entry) => excepted.has(entry));
  return end < 0 ? sequence : sequence.slice(0, end);
}
