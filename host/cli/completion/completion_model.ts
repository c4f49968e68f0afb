// What a shell can complete: baler's commands with their flags and words, as
// the commands themselves declare them.

import { COMMON_FLAGS, type HostCommand } from "../command.ts";
import { COMMANDS } from "../registry.ts";
import type { Completion, Flag } from "../flags.ts";
import { pluginCommands } from "../plugin_command.ts";

/** A flag that can be completed. */
export interface CompletableFlag {
  /** Its name, without dashes. */
  name: string;
  /** What it does, in a line. */
  description: string;
  /** Whether a value stands behind it. */
  hasValue: boolean;
  /** What the value can be completed to. */
  value?: Completion;
}

/** A command that can be completed. */
export interface CompletableCommand {
  /** Its name. */
  name: string;
  /** What it does, in a line. */
  synopsis: string;
  /** Its flags. */
  flags: readonly CompletableFlag[];
  /** What its words can be completed to. */
  words?: Completion;
}

/** All commands that there are, those that plugins bring along too. */
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
    words: "file" as const,
  }));
  return [...own, ...others];
}

/** The flags that stand before a command. */
export const FLAGS_BEFORE_COMMAND: readonly CompletableFlag[] = [
  ...flagsOf(COMMON_FLAGS),
  { name: "version", description: "Show baler's version.", hasValue: false },
];

function completable(
  name: string,
  synopsis: string,
  { flags, words }: HostCommand,
): CompletableCommand {
  return {
    name,
    synopsis,
    flags: flagsOf({ ...flags, ...COMMON_FLAGS }),
    ...(words === undefined ? {} : { words }),
  };
}

function flagsOf(flags: Readonly<Record<string, Flag>>): CompletableFlag[] {
  return Object.entries(flags).map(([name, flag]) => {
    // One that is on unless it is said to be off is only ever given so.
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
