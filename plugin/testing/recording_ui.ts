// A ui that records every line, and answers questions from a list.

import type { Progress, Ui } from "../contract/ui.ts";

/**
 * A ui for tests: it records every line, and answers questions from a list.
 *
 * @example
 * ```ts
 * import { RecordingUi } from "@baler/baler/testing";
 *
 * const ui = new RecordingUi(["yes"]);
 * ui.say("Starting");
 * ui.ask("Continue?");
 * console.log(ui.lines); // ["say: Starting", "ask: Continue?"]
 * ```
 */
export class RecordingUi implements Ui {
  /** What was shown, in order: `say: ...`, `message: ...`, `error: ...`, `ask: ...`. */
  readonly lines: string[] = [];
  /** The lines of machine-readable output: the category, then the data. */
  readonly machineLines: string[][] = [];
  /** The answers that are left. */
  readonly answers: (string | Promise<string>)[];
  /** Called at each report of progress. */
  onProgress: (progress: Progress) => void = () => {};

  /**
   * Makes a ui.
   *
   * @param answers The answers to questions, in order. `ask` throws when none is
   * left, as it does where nobody can answer.
   */
  constructor(answers: readonly (string | Promise<string>)[] = []) {
    this.answers = [...answers];
  }

  /** Records `say: LINE`. */
  say(line: string): void {
    this.lines.push(`say: ${line}`);
  }

  /** Records `message: LINE`. */
  message(line: string): void {
    this.lines.push(`message: ${line}`);
  }

  /** Records `error: LINE`. */
  error(line: string): void {
    this.lines.push(`error: ${line}`);
  }

  /** Records a line of machine-readable output. */
  machine(category: string, ...data: string[]): void {
    this.machineLines.push([category, ...data]);
  }

  /**
   * Records `ask: QUERY`.
   *
   * @returns The next answer.
   * @throws {Error} When no answer is left.
   */
  ask(query: string): string | Promise<string> {
    this.lines.push(`ask: ${query}`);
    const answer = this.answers.shift();
    if (answer === undefined) throw new Error("no available tty");
    return answer;
  }

  /** Calls {@linkcode RecordingUi.onProgress}. */
  progress(progress: Progress): void {
    this.onProgress(progress);
  }
}
