// A case of the parity suite: a template with other files and the
// words of one command, which Packer and baler have to treat alike.

import type { DifferenceName } from "./differences.ts";

/** One case. */
export interface ParityCase {
  /** Its name, unique in the suite. */
  readonly name: string;
  /** What is written to `template.json`: a text as it is, anything else as JSON. */
  readonly template?: unknown;
  /** Other files by name, written like the template. */
  readonly files?: Readonly<Record<string, unknown>>;
  /** The words of the command; `build -machine-readable template.json` unless given. */
  readonly args?: readonly string[];
  /** Variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads. */
  readonly stdin?: string;
  /**
   * Parts of the error message that both print. If given, the other words of an
   * error event are not compared, nor the number of events.
   */
  readonly messageParts?: readonly string[];
  /** True if builds run in parallel, and their events come in any order. */
  readonly unordered?: boolean;
  /** Patterns of the texts that differ between runs, such as a time. */
  readonly aside?: readonly RegExp[];
  /** An intended difference, and baler's behavior. */
  readonly differs?: {
    readonly why: DifferenceName;
    /** Whether baler's exit code is 0. */
    readonly ok: boolean;
    /** Parts of the error message that baler prints. */
    readonly messageParts: readonly string[];
    /** The files that baler leaves, where they are not Packer's. */
    readonly files?: readonly string[];
  };
  /** True for the sample that also runs with baler from source. */
  readonly sample?: boolean;
}

/** The result of a case, without everything that may differ between two runs. */
export interface Outcome {
  /** Whether the exit code was 0. */
  readonly ok: boolean;
  /** The events, or the lines of stdout where the command does not ask for events. */
  readonly events: readonly string[];
  /** The files that were created or changed, by name. */
  readonly files: Readonly<Record<string, unknown>>;
}

/** Returns the arguments of a case. */
export function argsOf(one: ParityCase): readonly string[] {
  return one.args ?? ["build", "-machine-readable", "template.json"];
}
