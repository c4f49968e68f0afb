// Ui: shows lines of a component to the user who runs the build, and asks questions.

/** The progress of a long piece of work. */
export interface Progress {
  /** What is being done, for example `"upload disk.img"`. */
  label: string;
  /** How much is done, in bytes unless `unit` says otherwise. */
  current: number;
  /** How much there is to do; undefined while it is not known. */
  total?: number;
  /** The unit of `current` and `total`; `"bytes"` by default. */
  unit?: string;
  /** True in the last report of this label, which removes the progress bar. */
  done?: boolean;
}

/**
 * Shows lines to the user who runs the build.
 *
 * Every method may be called without awaiting it: lines are shown in the order
 * of the calls, and before a later call returns. After the host has died, all
 * methods except `ask` do nothing, so that a cleanup can continue.
 */
export interface Ui {
  /**
   * Announces a step of the build.
   *
   * @param line The step.
   */
  say(line: string): void | Promise<void>;
  /**
   * Shows a detail of the current step, for example a line of output.
   *
   * @param line The detail.
   */
  message(line: string): void | Promise<void>;
  /**
   * Shows an error.
   *
   * @param line The error.
   */
  error(line: string): void | Promise<void>;
  /**
   * Writes a line of the machine-readable output, when that is enabled.
   *
   * @param category The type of the data, for example `"artifact-count"`.
   * @param data The data; commas and line breaks in it are escaped.
   */
  machine(category: string, ...data: string[]): void | Promise<void>;
  /**
   * Asks a question and waits for a line of input.
   *
   * @param query The question.
   * @returns The answer, without its line break.
   * @throws {Error} When the question cannot be asked: stdin is closed, the output
   * is machine-readable, or the host has died.
   */
  ask(query: string): string | Promise<string>;
  /**
   * Reports the progress of a long piece of work: as a progress bar on a
   * terminal, not at all elsewhere.
   *
   * @param progress The current state.
   */
  progress(progress: Progress): void | Promise<void>;
}
