// The progress bar, as a line of text that fits the terminal.

import type { Progress } from "../../plugin/contract/ui.ts";
import { textWidth, truncateToWidth } from "../text/display_width.ts";

/** A piece of work that is in progress. */
export interface WorkUnderWay extends Progress {
  /** When it began, in milliseconds since any moment. */
  begin: number;
}

const BAR = 24;
const SHORTEST_LABEL = 12;
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/**
 * A line that shows how far work has come.
 *
 * @param work What is in progress; at least one piece.
 * @param columns How many columns the line may take.
 * @param now The time, on the clock of `begin`.
 */
export function progressText(
  work: readonly WorkUnderWay[],
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
  return room < SHORTEST_LABEL
    ? text
    : `${text}  ${truncateToWidth(labels, room)}`;
}

/** What there is room for: the label is cut before the bar goes, and that before the rest. */
function fitted(
  label: string,
  share: number | undefined,
  rest: string,
  columns: number,
): string {
  const filled = Math.round((share ?? 0) * BAR);
  const percent = share === undefined ? "" : `${Math.floor(share * 100)}%`;
  const bar = share === undefined
    ? ""
    : `[${"#".repeat(filled)}${"-".repeat(BAR - filled)}]`;
  for (const behind of [[bar, percent, rest], [bar, percent], [percent]]) {
    const text = behind.filter((part) => part !== "").map((part) => `  ${part}`)
      .join("");
    const room = columns - textWidth(text);
    if (room >= Math.min(SHORTEST_LABEL, textWidth(label))) {
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

/** Worth to be told only after a while: what begins slowly need not go on so. */
const GUESS_AFTER = 3000;

function timeLeft(share: number | undefined, took: number): string {
  if (share === undefined || share <= 0 || took < GUESS_AFTER) return "";
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
