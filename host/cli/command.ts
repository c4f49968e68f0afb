// What each word of the command line is: its help, its flags, its work.

import {
  type Completion,
  type Flags,
  flagsHelp,
  type FlagValues,
  readFlags,
  UsageError,
} from "./flags.ts";
import type { Log } from "../log/log.ts";
import type { Redactor } from "../log/redactor.ts";
import type { Screen } from "../terminal/screen.ts";
import type { HostUi } from "../terminal/ui.ts";

/** What every command is given. */
export interface CommandContext {
  /** Where it shows what it does. */
  ui: HostUi;
  /** Makes another ui, for a command whose flags say how it shows things. */
  makeUi(options: { color?: boolean; timestamps?: boolean }): HostUi;
  log: Log;
  redactor: Redactor;
  screen: Screen;
}

/** A word of the command line. */
export interface HostCommand {
  /** What stands behind the command's name, for example `"[options] TEMPLATE"`. */
  usage: string;
  /** What it does, in a few lines. */
  description: string;
  /** Its flags. */
  flags: Flags;
  /** What the words behind its flags can be completed to. */
  words?: Completion;
  /** What its help says behind the flags: examples, and what its exit codes mean. */
  notes?: string;
  /**
   * Runs it.
   *
   * @param args The words behind its name.
   * @returns The exit code.
   * @throws {UsageError} When it was called in a way that it does not understand.
   */
  run(context: CommandContext, args: readonly string[]): Promise<number>;
}

/**
 * Makes a command.
 *
 * @param definition The command, whose `run` gets its flags and words.
 */
export function defineCommand<F extends Flags>(
  definition: Omit<HostCommand, "flags" | "run"> & {
    flags: F;
    run(
      context: CommandContext,
      flags: FlagValues<F>,
      words: string[],
    ): Promise<number>;
  },
): HostCommand {
  return {
    ...definition,
    async run(context, args) {
      const { values, words } = await readFlags(args, definition.flags);
      return await definition.run(context, values, words);
    },
  };
}

/**
 * The only argument of a command that takes one.
 *
 * @param args The arguments that it was given.
 * @param command The command's name.
 * @param what The argument's name in its usage, for example `"TEMPLATE"`.
 * @throws {UsageError} When there is none, or more than one.
 */
export function singleArgument(
  args: readonly string[],
  command: string,
  what: string,
): string {
  if (args.length === 1) return args[0]!;
  throw new UsageError(
    args.length === 0
      ? `missing argument ${what}; see "baler help ${command}"`
      : `expected one ${what}, got ${args.length} arguments: ${args.join(" ")}`,
  );
}

/** What every command takes, read before the command sees its words. */
export const COMMON_FLAGS: Flags = {
  help: { type: "boolean", description: "Show this help." },
  "machine-readable": {
    type: "boolean",
    description: "Print machine-readable output.",
  },
};

/**
 * A command's help.
 *
 * @param name The command's name.
 * @param command The command.
 */
export function commandHelp(name: string, command: HostCommand): string {
  const parts = [
    `Usage: baler ${[name, command.usage].join(" ").trim()}`,
    indented(command.description),
  ];
  parts.push("Options:", flagsHelp({ ...command.flags, ...COMMON_FLAGS }));
  if (command.notes !== undefined) parts.push(command.notes);
  return parts.join("\n\n");
}

function indented(text: string): string {
  return text.split("\n").map((line) => line === "" ? "" : `  ${line}`)
    .join("\n");
}
