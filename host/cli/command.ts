// A command of the command line: its help, its flags and its action.

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

/** The context in which a command runs. */
export interface CommandContext {
  /** Shows its output. */
  ui: HostUi;
  /** Creates another ui, for a command with flags for its output. */
  makeUi(options: { color?: boolean; timestamps?: boolean }): HostUi;
  log: Log;
  redactor: Redactor;
  screen: Screen;
}

/** A command of the host. */
export interface HostCommand {
  /** Its usage after the command's name, for example `"[options] TEMPLATE"`. */
  usage: string;
  /** Its description, in a few lines. */
  description: string;
  /** Its flags. */
  flags: Flags;
  /** The completion of its positional arguments. */
  completes?: Completion;
  /** The end of its help, after the flags: examples and exit codes. */
  notes?: string;
  /**
   * Runs the command.
   *
   * @param args The arguments after its name.
   * @returns The exit code.
   * @throws {UsageError} When the command line is not valid.
   */
  run(context: CommandContext, args: readonly string[]): Promise<number>;
}

/**
 * Defines a command.
 *
 * @param definition The command, whose `run` gets its flags and positional
 * arguments.
 */
export function defineCommand<F extends Flags>(
  definition: Omit<HostCommand, "flags" | "run"> & {
    flags: F;
    run(
      context: CommandContext,
      flags: FlagValues<F>,
      positionals: string[],
    ): Promise<number>;
  },
): HostCommand {
  return {
    ...definition,
    async run(context, args) {
      const { values, positionals } = await readFlags(args, definition.flags);
      return await definition.run(context, values, positionals);
    },
  };
}

/**
 * Returns the only argument of a command that takes one.
 *
 * @param args Its positional arguments.
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

/** The flags of every command, which are read before the command's own. */
export const COMMON_FLAGS: Flags = {
  help: { type: "boolean", description: "Show this help." },
  "machine-readable": {
    type: "boolean",
    description: "Print machine-readable output.",
  },
};

/**
 * Returns the help of a command.
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
