// The progress line: shows all work in progress in one line, which is redrawn a
// few times per second, however often progress is reported.

import type { Progress } from "../../plugin/contract/ui.ts";
import { escapeControlChars } from "../text/escape_control_chars.ts";
import { progressText, type WorkInProgress } from "./progress_text.ts";

/** The time until the line is drawn, and between redraws, in milliseconds. */
const REDRAW_INTERVAL_MS = 150;

/** How many pieces of work are tracked at a time. */
const MAX_WORK = 1000;

/** How many characters of each name are kept. */
const MAX_NAME_LENGTH = 500;

/** The work that is in progress. */
export class ProgressLine {
  readonly #work = new Map<string, WorkInProgress & { owner: string }>();
  readonly #draw: (text: string) => void;
  readonly #columns: () => number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param draw Draws the line in place of the last one; "" erases it.
   * @param columns Returns the current width of the terminal, in columns.
   */
  constructor(draw: (text: string) => void, columns: () => number) {
    this.#draw = draw;
    this.#columns = columns;
  }

  /**
   * Reports the progress of a piece of work.
   *
   * @param owner The owner of the work, for {@linkcode end}.
   * @param progress Its progress.
   */
  report(owner: string, progress: Progress): void {
    const label = shortened(progress.label);
    const unit = progress.unit && shortened(progress.unit);
    const key = JSON.stringify([owner, label]);
    const known = this.#work.get(key);
    if (progress.done) this.#work.delete(key);
    else if (known !== undefined || this.#work.size < MAX_WORK) {
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
   * Removes work that will not report its end.
   *
   * @param owner The owner of the work; all work unless given.
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
      this.#timer = setTimeout(() => this.#redraw(), REDRAW_INTERVAL_MS);
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

/** Truncates a name, and puts it on one line. */
function shortened(name: string): string {
  return escapeControlChars(name.slice(0, MAX_NAME_LENGTH))
    .replace(/\s+/g, " ");
}
