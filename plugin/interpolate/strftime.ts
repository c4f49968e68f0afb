// Writes a moment by C's strftime conversions, those that Packer's strftime
// knows; any other stays as it is written.

import { digits, type TimeParts, timeParts } from "./go_time.ts";

const CONVERSIONS: Record<string, (parts: TimeParts) => string> = {
  a: (t) => t.weekday.slice(0, 3),
  A: (t) => t.weekday,
  b: (t) => t.monthName.slice(0, 3),
  B: (t) => t.monthName,
  d: (t) => digits(t.day, 2),
  H: (t) => digits(t.hour, 2),
  I: (t) => digits(t.hour12, 2),
  L: (t) => `.${digits(t.millisecond, 3)}`,
  m: (t) => digits(t.month, 2),
  M: (t) => digits(t.minute, 2),
  p: (t) => t.half,
  S: (t) => digits(t.second, 2),
  y: (t) => t.year.slice(-2),
  Y: (t) => t.year,
  z: () => "+0000",
  Z: () => "UTC",
  "%": () => "%",
};

/**
 * Writes a moment, in UTC.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(strftime(new Date("2021-03-04T05:06:07Z"), "%Y%m%d"), "20210304");
 * ```
 */
export function strftime(time: Date, format: string): string {
  const parts = timeParts(time);
  return format.replace(
    /%(.)/gs,
    (written, letter) =>
      Object.hasOwn(CONVERSIONS, letter)
        ? CONVERSIONS[letter]!(parts)
        : written,
  );
}
