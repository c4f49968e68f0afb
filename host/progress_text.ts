// The progress bar, as a line of text.

import type { Progress } from "../plugin/ui.ts";

const WIDTH = 24;
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** A line that shows how far a piece of work has come. */
export function progressText(progress: Progress): string {
  const { label, current, total, unit = "bytes" } = progress;
  const amount = (value: number) =>
    unit === "bytes" ? byteText(value) : `${value} ${unit}`;
  if (total === undefined || total <= 0) return `${label}  ${amount(current)}`;
  const share = Math.min(1, Math.max(0, current / total));
  const filled = Math.round(share * WIDTH);
  const bar = "#".repeat(filled) + "-".repeat(WIDTH - filled);
  return `${label}  [${bar}] ${Math.floor(share * 100)}%  ${
    amount(current)
  } of ${amount(total)}`;
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
