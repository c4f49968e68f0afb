// The progress line: all work that is in progress, in one line, drawn anew a few
// times a second however often the work reports.

import type { Progress } from "../../plugin/contract/ui.ts";
import { escapeControlChars } from "../text/escape_control_chars.ts";
import { progressText, type WorkUnderWay } from "./progress_text.ts";

/** How long work is in progress before it is shown, and a line before the next, in milliseconds. */
const INTERVAL = 150;

/** How much work is shown at a time, and how much of each name, in characters. */
const MOST_WORK = 1000;
const LONGEST_NAME = 500;

/** The work that is in progress. */
export class ProgressLine {
  readonly #work = new Map<string, WorkUnderWay & { owner: string }>();
  readonly #draw: (text: string) => void;
  readonly #columns: () => number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * No work yet.
   *
   * @param draw Shows the line in place of the last one; empty to take it away.
   * @param columns How many columns there are now.
   */
  constructor(draw: (text: string) => void, columns: () => number) {
    this.#draw = draw;
    this.#columns = columns;
  }

  /**
   * Takes a report.
   *
   * @param owner Whose work it is, for {@linkcode end}.
   * @param progress How far the work has come.
   */
  report(owner: string, progress: Progress): void {
    const label = shortened(progress.label);
    const unit = progress.unit && shortened(progress.unit);
    const key = JSON.stringify([owner, label]);
    const known = this.#work.get(key);
    if (progress.done) this.#work.delete(key);
    else if (known !== undefined || this.#work.size < MOST_WORK) {
      const begin = known?.begin ?? performance.now();
      this.#work.set(key, {
        ...progress,
        label,
        ...(unit === undefined ? {} : { unit }),
        owner,
        begin,
      });
    }
    this.#changed();
  }

  /**
   * Forgets work that will not report its end.
   *
   * @param owner Whose; everybody's unless given.
   */
  end(owner?: string): void {
    for (const [key, work] of this.#work) {
      if (owner === undefined || work.owner === owner) this.#work.delete(key);
    }
    this.#changed();
  }

  #changed(): void {
    if (this.#work.size === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#draw("");
    } else if (this.#timer === undefined) {
      this.#timer = setTimeout(() => this.#redraw(), INTERVAL);
    }
  }

  #redraw(): void {
    this.#timer = undefined;
    // A character in the last column makes some terminals begin a new line.
    const columns = this.#columns() - 1;
    this.#draw(
      progressText([...this.#work.values()], columns, performance.now()),
    );
  }
}

/** As much of a name as there may be room for, in one line. */
function shortened(name: string): string {
  return escapeControlChars(name.slice(0, LONGEST_NAME)).replace(/\s+/g, " ");
}
