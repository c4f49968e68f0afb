// `baler help`: all commands, also those that plugins bring along, or one.

import { commandHelp, hostCommand } from "../command.ts";
import { UsageError } from "../flags.ts";
import { describeCommand, pluginCommands } from "../plugin_command.ts";
import { COMMANDS } from "./mod.ts";

/** Shows how baler, or one of its commands, is used. */
export const help = hostCommand({
  usage: "[COMMAND]",
  description: "Shows how baler, or one of its commands, is used.",
  flags: {},
  async run({ ui, log }, _flags, words) {
    const name = words[0];
    if (name === undefined) ui.say(await mainHelp());
    else if (Object.hasOwn(COMMANDS, name)) {
      ui.say(commandHelp(name, await COMMANDS[name]!.load()));
    } else {
      const found = (await pluginCommands()).find((one) => one.name === name);
      if (found === undefined) {
        throw new UsageError(`there is no command "${name}"`);
      }
      ui.say((await describeCommand(found, log)).help);
    }
    return 0;
  },
});

/** What `baler --help` shows. */
export async function mainHelp(): Promise<string> {
  const rows: [string, string][] = Object.entries(COMMANDS).map((
    [name, { synopsis }],
  ) => [name, synopsis]);
  for (const { name, found } of await pluginCommands()) {
    rows.push([name, `a command of ${found.label}`]);
  }
  rows.sort(([a], [b]) => a < b ? -1 : 1);
  const width = Math.max(...rows.map(([name]) => name.length)) + 4;
  const lines = rows.map(([name, synopsis]) =>
    `    ${name.padEnd(width)}${synopsis}`
  );
  return `Usage: baler [--version] [--help] COMMAND [ARGS]

Available commands are:
${lines.join("\n")}

"baler help COMMAND" shows how a command is used. -machine-readable, before
or behind a command, shows events for programs instead of text for people.`;
}
