// Command: adds a command to `baler`. The plugin baler-command-NAME is run by
// `baler NAME`.

import type { Ui } from "./ui.ts";

/** The argument of {@linkcode Command.run}. */
export interface CommandRunOptions {
  /** The arguments after the command's name, unchanged. */
  args: string[];
  /** Shows lines to the user, and asks questions. */
  ui: Ui;
  /** The host's stdin. */
  stdin: ReadableStream<Uint8Array>;
  /** The host's stdout, for output that another program reads. */
  stdout: WritableStream<Uint8Array>;
  /** The host's working directory. */
  workingDirectory: string;
  /** Aborted on Ctrl-C, and when the host has died. */
  signal: AbortSignal;
}

/** A command of `baler`. */
export interface Command {
  /** What it does, in one line, for `baler help`. */
  readonly synopsis: string;
  /** How it is used, for `baler help NAME`; the synopsis by default. */
  readonly help?: string;
  /**
   * Runs the command.
   *
   * @param options The arguments, the streams and the signal.
   * @returns The exit code; 0 when it returns nothing.
   * @throws {Error} When it failed: the message is shown, and the exit code is 1.
   */
  run(options: CommandRunOptions): number | void | Promise<number | void>;
}
