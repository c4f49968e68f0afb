// Durations in the notation of Go, which templates use.

const UNITS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  "µs": 1e-3,
  ms: 1,
  s: 1e3,
  m: 60e3,
  h: 3600e3,
};

/**
 * Parses a duration in Go's notation.
 *
 * @param value For example `"1h30m"`, `"1.5s"` or `"300ms"`; `0` and `"0"` need no unit.
 * @returns Milliseconds; undefined when it is not a duration.
 */
export function parseDuration(value: unknown): number | undefined {
  if (value === 0 || value === "0") return 0;
  if (typeof value !== "string") return undefined;
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+)$/
    .exec(value);
  if (!match) return undefined;
  let milliseconds = 0;
  for (
    const [, number, unit] of match[2]!.matchAll(
      /(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g,
    )
  ) {
    milliseconds += Number(number) * UNITS[unit!]!;
  }
  return match[1] === "-" ? -milliseconds : milliseconds;
}

/**
 * Formats a duration in Go's notation.
 *
 * @param milliseconds The duration; not negative.
 * @returns For example `"1h30m0s"`, `"1.5s"` or `"300ms"`.
 */
export function goDuration(milliseconds: number): string {
  if (milliseconds > 0 && milliseconds < 1000) {
    // Go counts whole nanoseconds; this removes the error of binary fractions.
    const nanoseconds = Math.round(milliseconds * 1e6);
    if (nanoseconds < 1000) return `${nanoseconds}ns`;
    if (nanoseconds < 1e6) return `${nanoseconds / 1000}µs`;
    return `${nanoseconds / 1e6}ms`;
  }
  const hours = Math.floor(milliseconds / 3_600_000);
  const minutes = Math.floor(milliseconds / 60_000) % 60;
  const seconds = (milliseconds % 60_000) / 1000;
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}
