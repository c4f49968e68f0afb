// The model of shell completion: baler's commands with their flags and arguments,
// as the commands declare them.

import { COMMON_FLAGS, type HostCommand } from "../command.ts";
import { COMMANDS } from "../registry.ts";
import type { Completion, Flag } from "../flags.ts";
import { pluginCommands } from "../plugin_command.ts";

/** A flag that can be completed. */
export interface CompletableFlag {
  /** Its name, without dashes. */
  name: string;
  /** A one-line description. */
  description: string;
  /** Whether it takes a value. */
  hasValue: boolean;
  /** The completion of the value. */
  value?: Completion;
}

/** A command that can be completed. */
export interface CompletableCommand {
  /** Its name. */
  name: string;
  /** A one-line description. */
  synopsis: string;
  /** Its flags. */
  flags: readonly CompletableFlag[];
  /** The completion of its positional arguments. */
  completes?: Completion;
}

/** Returns all commands, including those of plugins. */
export async function completableCommands(): Promise<CompletableCommand[]> {
  const own = await Promise.all(
    Object.entries(COMMANDS).map(async ([name, { synopsis, load }]) =>
      completable(name, synopsis, await load())
    ),
  );
  const others = (await pluginCommands()).map(({ name }) => ({
    name,
    synopsis: "a plugin's command",
    flags: flagsOf(COMMON_FLAGS),
    completes: "file" as const,
  }));
  return [...own, ...others];
}

/** The flags before a command. */
export const FLAGS_BEFORE_COMMAND: readonly CompletableFlag[] = [
  ...flagsOf(COMMON_FLAGS),
  { name: "version", description: "Show baler's version.", hasValue: false },
];

function completable(
  name: string,
  synopsis: string,
  { flags, completes }: HostCommand,
): CompletableCommand {
  return {
    name,
    synopsis,
    flags: flagsOf({ ...flags, ...COMMON_FLAGS }),
    ...(completes === undefined ? {} : { completes }),
  };
}

function flagsOf(flags: Readonly<Record<string, Flag>>): CompletableFlag[] {
  return Object.entries(flags).map(([name, flag]) => {
    // A flag whose default is true is only useful with the value false.
    const isSwitchOff = flag.type === "boolean" && flag.default === true;
    const value = isSwitchOff ? ["false"] : flag.completes;
    return {
      name,
      description: flag.description,
      hasValue: flag.type !== "boolean" || isSwitchOff,
      ...(value === undefined ? {} : { value }),
    };
  });
}
