// Writes a moment in Go's way: the layout shows how the reference time, Mon
// Jan 2 15:04:05 2006, would be written. Always in UTC, as Packer does.

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

const WEEKDAYS = [
  "Sunday",
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
];

/** RFC 3339, what `{{isotime}}` writes without a layout. */
export const RFC_3339 = "2006-01-02T15:04:05Z07:00";

/** A moment's parts in UTC, already as the texts that layouts are made of. */
export interface TimeParts {
  /** January to December. */
  readonly monthName: string;
  /** Sunday to Saturday. */
  readonly weekday: string;
  /** The year, at least four digits. */
  readonly year: string;
  /** From 1. */
  readonly month: number;
  /** Of the month, from 1. */
  readonly day: number;
  /** Of the year, from 1. */
  readonly yearDay: number;
  /** 0 to 23. */
  readonly hour: number;
  /** 1 to 12. */
  readonly hour12: number;
  /** AM or PM. */
  readonly half: string;
  /** 0 to 59. */
  readonly minute: number;
  /** 0 to 59. */
  readonly second: number;
  /** 0 to 999. */
  readonly millisecond: number;
}

/** Takes a moment apart. */
export function timeParts(time: Date): TimeParts {
  const year = time.getUTCFullYear();
  const hour = time.getUTCHours();
  const midnight = Date.UTC(2000, time.getUTCMonth(), time.getUTCDate());
  const thisDay = new Date(midnight).setUTCFullYear(
    year,
    time.getUTCMonth(),
    time.getUTCDate(),
  );
  const newYear = new Date(Date.UTC(2000, 0, 1)).setUTCFullYear(year, 0, 1);
  return {
    monthName: MONTHS[time.getUTCMonth()]!,
    weekday: WEEKDAYS[time.getUTCDay()]!,
    year: year < 0 ? `-${digits(-year, 4)}` : digits(year, 4),
    month: time.getUTCMonth() + 1,
    day: time.getUTCDate(),
    yearDay: Math.round((thisDay - newYear) / 86_400_000) + 1,
    hour,
    hour12: hour % 12 || 12,
    half: hour < 12 ? "AM" : "PM",
    minute: time.getUTCMinutes(),
    second: time.getUTCSeconds(),
    millisecond: time.getUTCMilliseconds(),
  };
}

/** A number in at least so many characters. */
export function digits(value: number, width: number, pad = "0"): string {
  return String(value).padStart(width, pad);
}

type Writer = (parts: TimeParts) => string;

// In the order in which they must be tried: what begins another comes after.
const PIECES: [string, Writer][] = [
  ["January", (t) => t.monthName],
  ["Jan", (t) => t.monthName.slice(0, 3)],
  ["Monday", (t) => t.weekday],
  ["Mon", (t) => t.weekday.slice(0, 3)],
  ["MST", () => "UTC"],
  ["2006", (t) => t.year],
  ["_2006", (t) => `_${t.year}`],
  ["__2", (t) => digits(t.yearDay, 3, " ")],
  ["_2", (t) => digits(t.day, 2, " ")],
  ["002", (t) => digits(t.yearDay, 3)],
  ["01", (t) => digits(t.month, 2)],
  ["02", (t) => digits(t.day, 2)],
  ["03", (t) => digits(t.hour12, 2)],
  ["04", (t) => digits(t.minute, 2)],
  ["05", (t) => digits(t.second, 2)],
  ["06", (t) => t.year.slice(-2)],
  ["15", (t) => digits(t.hour, 2)],
  ["1", (t) => String(t.month)],
  ["2", (t) => String(t.day)],
  ["3", (t) => String(t.hour12)],
  ["4", (t) => String(t.minute)],
  ["5", (t) => String(t.second)],
  ["PM", (t) => t.half],
  ["pm", (t) => t.half.toLowerCase()],
  ["-07:00:00", () => "+00:00:00"],
  ["-070000", () => "+000000"],
  ["-07:00", () => "+00:00"],
  ["-0700", () => "+0000"],
  ["-07", () => "+00"],
  ["Z07:00:00", () => "Z"],
  ["Z070000", () => "Z"],
  ["Z07:00", () => "Z"],
  ["Z0700", () => "Z"],
  ["Z07", () => "Z"],
];

const FIRST_CHARACTERS = new Set([
  ".",
  ",",
  ...PIECES.map(([text]) => text[0]),
]);

/**
 * Writes a moment as the layout shows.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const time = new Date("2021-03-04T05:06:07Z");
 * assertEquals(formatTime(time, "Jan _2 2006, 15:04"), "Mar  4 2021, 05:06");
 * ```
 */
export function formatTime(time: Date, layout: string): string {
  const parts = timeParts(time);
  let result = "";
  for (let at = 0; at < layout.length;) {
    const piece = FIRST_CHARACTERS.has(layout[at])
      ? pieceAt(layout, at, parts)
      : undefined;
    result += piece?.text ?? layout[at];
    at += piece?.length ?? 1;
  }
  return result;
}

function pieceAt(layout: string, at: number, parts: TimeParts) {
  const fraction = fractionAt(layout, at, parts);
  if (fraction) return fraction;
  for (const [text, write] of PIECES) {
    if (!layout.startsWith(text, at)) continue;
    const after = layout[at + text.length] ?? "";
    // "Janet" and "Month" are words, not a month and a weekday.
    if ((text === "Jan" || text === "Mon") && /[a-z]/.test(after)) continue;
    return { text: write(parts), length: text.length };
  }
}

// .000 keeps its zeros, .999 drops those at the end, and the point with them.
function fractionAt(layout: string, at: number, parts: TimeParts) {
  const point = layout[at];
  const digit = layout[at + 1];
  if ((point !== "." && point !== ",") || (digit !== "0" && digit !== "9")) {
    return undefined;
  }
  let end = at + 1;
  while (layout[end] === digit) end++;
  if (/\d/.test(layout[end] ?? "")) return undefined;
  const count = end - at - 1;
  const nanoseconds = digits(parts.millisecond, 3) + "000000";
  const kept = nanoseconds.padEnd(count, "0").slice(0, count);
  const shown = digit === "0" ? kept : kept.replace(/0+$/, "");
  return { text: shown && point + shown, length: end - at };
}
