// The ui is how a component talks to the person who runs the build.

/** How far a piece of long work has come. */
export interface Progress {
  /** What is being done, for example `"upload disk.img"`. */
  label: string;
  /** How much is done, in bytes unless `unit` says otherwise. */
  current: number;
  /** How much there is to do in all; absent while it is not known. */
  total?: number;
  /** What `current` and `total` count; `"bytes"` unless given. */
  unit?: string;
  /** True in the last report of this label: the bar goes away. */
  done?: boolean;
}

/**
 * The person who runs the build, as a component sees them.
 *
 * Every method may be called without waiting: lines are shown in the order in
 * which they were sent, and before the call that sent them is seen to return.
 */
export interface Ui {
  /**
   * Announces a step of the build.
   *
   * @param line What is about to happen.
   */
  say(line: string): void | Promise<void>;
  /**
   * Shows a detail of the step under way, for example a line of output.
   *
   * @param line The detail.
   */
  message(line: string): void | Promise<void>;
  /**
   * Shows what went wrong.
   *
   * @param line The error.
   */
  error(line: string): void | Promise<void>;
  /**
   * Says something to a program that reads the machine-readable output; a
   * person sees nothing.
   *
   * @param category What kind of data it is, for example `"artifact-count"`.
   * @param data The data; commas and line ends in it are escaped.
   */
  machine(category: string, ...data: string[]): void | Promise<void>;
  /**
   * Asks a question and waits for a line of input.
   *
   * @param query The question.
   * @returns The answer, without its line end.
   * @throws {Error} When nobody can answer: the input is closed, or no terminal.
   */
  ask(query: string): string | Promise<string>;
  /**
   * Reports how far a piece of long work has come: a progress bar on a
   * terminal, nothing elsewhere.
   *
   * @param progress The state of the work.
   */
  progress(progress: Progress): void | Promise<void>;
}
