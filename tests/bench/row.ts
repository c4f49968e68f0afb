// A row of the table: what was measured of baler and of its peer, and whether
// that reaches what was set out to be reached.

/** One comparison. */
export interface Row {
  /** What is done. */
  readonly work: string;
  /** What of it is compared, with its unit. */
  readonly measure: string;
  /** Whom baler is compared with. */
  readonly peer: string;
  /** The target for the ratio of baler's median to the peer's. */
  readonly target: Target;
  /** All that was measured of baler, in the order of the rounds. */
  readonly baler: readonly number[];
  /** All that was measured of the peer; none when it is not there. */
  readonly others: readonly number[];
  /** Additional notes. */
  readonly note?: string;
}

/** A ratio: at most so much of the peer's time, or at least so much of its speed. */
export interface Target {
  readonly kind: "at most" | "at least";
  readonly ratio: number;
}

/** Makes a target of no more than so much of the peer's. */
export function atMost(ratio: number): Target {
  return { kind: "at most", ratio };
}

/** Makes a target of no less than so much of the peer's. */
export function atLeast(ratio: number): Target {
  return { kind: "at least", ratio };
}

/** The middle one of some numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Returns the ratio of baler's median to the peer's; undefined when there is no peer. */
export function ratioOf({ baler, others }: Row): number | undefined {
  return others.length === 0 ? undefined : median(baler) / median(others);
}

/** Whether a row reaches its target; undefined when there is no peer. */
export function isReached(row: Row): boolean | undefined {
  const ratio = ratioOf(row);
  if (ratio === undefined) return undefined;
  return row.target.kind === "at most"
    ? ratio <= row.target.ratio
    : ratio >= row.target.ratio;
}

/** The rows as a table in Markdown, its columns aligned. */
export function tableOf(rows: readonly Row[]): string {
  const cells = [
    ["work", "measure", "baler", "peer", "", "ratio", "to reach", ""],
    ...rows.map((row) => {
      const ratio = ratioOf(row);
      const reached = isReached(row);
      return [
        row.work,
        row.measure + (row.note === undefined ? "" : ` (${row.note})`),
        shown(median(row.baler)),
        row.peer,
        row.others.length === 0 ? "missing" : shown(median(row.others)),
        ratio === undefined ? "" : `${ratio.toFixed(2)}×`,
        `${row.target.kind === "at most" ? "≤" : "≥"} ${row.target.ratio}×`,
        reached === undefined ? "" : reached ? "yes" : "no",
      ];
    }),
  ];
  const widths = cells[0]!.map((_, column) =>
    Math.max(...cells.map((row) => row[column]!.length), 3)
  );
  const line = (row: readonly string[]) =>
    `| ${
      row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")
    } |`;
  return [
    line(cells[0]!),
    line(widths.map((width) => "-".repeat(width))),
    ...cells.slice(1).map(line),
  ].join("\n");
}

function shown(number: number): string {
  return number >= 1000
    ? Math.round(number).toLocaleString("en-US")
    : number.toPrecision(3);
}
