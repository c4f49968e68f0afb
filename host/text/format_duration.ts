// Formats durations with the two largest units, as Packer's summary does:
// "1 minute 12 seconds", "7 milliseconds 364 microseconds".

const UNITS: readonly [name: string, microseconds: number][] = [
  ["day", 86_400_000_000],
  ["hour", 3_600_000_000],
  ["minute", 60_000_000],
  ["second", 1_000_000],
  ["millisecond", 1000],
  ["microsecond", 1],
];

/**
 * Formats a duration.
 *
 * @param milliseconds The duration, in milliseconds.
 */
export function durationText(milliseconds: number): string {
  let rest = Math.max(0, Math.round(milliseconds * 1000));
  const words: string[] = [];
  for (const [name, length] of UNITS) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count === 0) continue;
    words.push(`${count} ${name}${count === 1 ? "" : "s"}`);
    if (words.length === 2) break;
  }
  return words.length === 0 ? "0 microseconds" : words.join(" ");
}
