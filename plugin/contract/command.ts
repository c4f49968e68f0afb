// A command adds a word to the command line: baler-command-NAME becomes
// `baler NAME`.

import type { Ui } from "./ui.ts";

/** What a command is given to run with. */
export interface CommandRunOptions {
  /** The words behind its name, untouched. */
  args: string[];
  /** Where the command talks to the person. */
  ui: Ui;
  /** What comes in on the host's stdin. */
  stdin: ReadableStream<Uint8Array>;
  /** The host's stdout, for output that another program reads. */
  stdout: WritableStream<Uint8Array>;
  /** The folder in which the host was started. */
  workingDirectory: string;
  /** Aborted on Ctrl-C. */
  signal: AbortSignal;
}

/** A word of the command line. */
export interface Command {
  /** What it does, in one line for `baler help`. */
  readonly synopsis: string;
  /** How it is used, for `baler help NAME`; the synopsis unless given. */
  readonly help?: string;
  /**
   * Runs the command.
   *
   * @returns The exit code; 0 where it returns nothing.
   * @throws {Error} When it failed: shown, and the exit code is 1.
   */
  run(options: CommandRunOptions): number | void | Promise<number | void>;
}
