// Formats the progress bar as a line that fits the terminal.

import type { Progress } from "../../plugin/contract/ui.ts";
import { textWidth, truncateToWidth } from "../text/display_width.ts";

/** A piece of work that is in progress. */
export interface WorkInProgress extends Progress {
  /** When it began, in milliseconds (`performance.now()`). */
  begin: number;
}

const BAR_COLUMNS = 24;
const MIN_LABEL_COLUMNS = 12;
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/**
 * Formats the progress of work.
 *
 * @param work The work in progress; at least one piece.
 * @param columns The width of the line, in columns.
 * @param now The time, on the clock of `begin`.
 */
export function progressText(
  work: readonly WorkInProgress[],
  columns: number,
  now: number,
): string {
  const [first] = work;
  if (work.length === 1 && first !== undefined) {
    const amount = amountText(first.current, first.total, first.unit);
    const share = shareOf(first);
    const left = timeLeft(share, now - first.begin);
    return fitted(first.label, share, amount + left, columns);
  }
  const shares = work.map(shareOf).filter((share) => share !== undefined);
  const share = shares.length === 0
    ? undefined
    : shares.reduce((sum, one) => sum + one, 0) / shares.length;
  const text = fitted(`${work.length} in progress`, share, "", columns);
  const room = columns - textWidth(text) - 2;
  const labels = work.map(({ label }) => label).join(", ");
  return room < MIN_LABEL_COLUMNS
    ? text
    : `${text}  ${truncateToWidth(labels, room)}`;
}

/** Fits the parts into the line: truncates the label first, then drops the rest, then the bar. */
function fitted(
  label: string,
  share: number | undefined,
  rest: string,
  columns: number,
): string {
  const filled = Math.round((share ?? 0) * BAR_COLUMNS);
  const percent = share === undefined ? "" : `${Math.floor(share * 100)}%`;
  const bar = share === undefined
    ? ""
    : `[${"#".repeat(filled)}${"-".repeat(BAR_COLUMNS - filled)}]`;
  for (const behind of [[bar, percent, rest], [bar, percent], [percent]]) {
    const text = behind.filter((part) => part !== "").map((part) => `  ${part}`)
      .join("");
    const room = columns - textWidth(text);
    if (room >= Math.min(MIN_LABEL_COLUMNS, textWidth(label))) {
      return truncateToWidth(label, room) + text;
    }
  }
  return truncateToWidth(label, columns);
}

function shareOf({ current, total }: Progress): number | undefined {
  if (total === undefined || !(total > 0)) return undefined;
  const share = current / total;
  return share >= 0 ? Math.min(1, share) : 0;
}

function amountText(
  current: number,
  total: number | undefined,
  unit = "bytes",
): string {
  const text = (value: number) =>
    unit === "bytes" ? byteText(value) : `${value} ${unit}`;
  return total === undefined || !(total > 0)
    ? text(current)
    : `${text(current)} of ${text(total)}`;
}

/** After how long the remaining time is estimated, in milliseconds: the first rate is a bad estimate. */
const MIN_ESTIMATE_MS = 3000;

function timeLeft(share: number | undefined, took: number): string {
  if (share === undefined || share <= 0 || took < MIN_ESTIMATE_MS) return "";
  const seconds = Math.ceil(took / share * (1 - share) / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes === 0
    ? `, ${seconds} s left`
    : `, ${minutes} min ${seconds % 60} s left`;
}

function byteText(bytes: number): string {
  let value = bytes;
  let index = 0;
  while (value >= 1024 && index < UNITS.length - 1) {
    value /= 1024;
    index++;
  }
  return `${index === 0 ? value : value.toFixed(1)} ${UNITS[index]}`;
}
