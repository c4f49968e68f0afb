// `baler help`: shows the help of baler, with the commands of plugins, or of one
// command.

import { commandHelp, defineCommand } from "../command.ts";
import { UsageError } from "../flags.ts";
import type { Log } from "../../log/log.ts";
import {
  describeCommand,
  pluginCommands,
  unknownCommand,
} from "../plugin_command.ts";
import { COMMANDS } from "../registry.ts";

/** Shows how baler, or one of its commands, is used. */
export const help = defineCommand({
  usage: "[COMMAND | KIND NAME]",
  description:
    "Shows how baler, or one of its commands, is used, or which options a component has.\n" +
    "KIND is builder, provisioner or post-processor, and NAME what a template has as its\n" +
    '"type". A plugin that does not come with baler is launched to be asked.',
  flags: {},
  completes: "command",
  async run(context, _flags, positionals) {
    const { ui, log } = context;
    const [name, component, ...others] = positionals;
    if (others.length > 0) {
      throw new UsageError(
        `expected a COMMAND, or a KIND and a NAME, got: ${
          positionals.join(" ")
        }`,
      );
    }
    if (component !== undefined) {
      const { componentHelp, isConfiguredKind } = await import(
        "../component_help.ts"
      );
      if (!isConfiguredKind(name!)) {
        throw new UsageError(
          `"${name}" is not a kind of component: write builder, provisioner or post-processor`,
        );
      }
      ui.say(await componentHelp(name, component, context));
    } else if (name === undefined) ui.say(await mainHelp(log));
    else if (Object.hasOwn(COMMANDS, name)) {
      ui.say(commandHelp(name, await COMMANDS[name]!.load()));
    } else {
      const commands = await pluginCommands();
      const found = commands.find((one) => one.name === name);
      if (found === undefined) throw await unknownCommand(name, commands);
      ui.say((await describeCommand(found, log)).help);
    }
    return 0;
  },
});

/**
 * Returns the output of `baler --help`.
 *
 * @param log Gets the stderr of the plugins that are asked for their synopsis.
 */
export async function mainHelp(log: Log): Promise<string> {
  const rows: [string, string][] = Object.entries(COMMANDS).map((
    [name, { synopsis }],
  ) => [name, synopsis]);
  rows.push(
    ...await Promise.all((await pluginCommands()).map(async (command) => {
      try {
        return [command.name, (await describeCommand(command, log)).synopsis];
      } catch (error) {
        return [command.name, `not available: ${(error as Error).message}`];
      }
    })) as [string, string][],
  );
  rows.sort(([a], [b]) => a < b ? -1 : 1);
  const width = Math.max(...rows.map(([name]) => name.length)) + 4;
  const lines = rows.map(([name, synopsis]) =>
    `    ${name.padEnd(width)}${synopsis}`
  );
  return `Usage: baler [--version] [--help] COMMAND [ARGS]

Available commands are:
${lines.join("\n")}

"baler help COMMAND" shows the help of a command. -machine-readable, before or
after a command, prints machine-readable output.

The exit code is 0 on success, 1 when something failed, 2 when the command line
is not valid, and 130 after Ctrl-C. The commands of plugins have exit codes of
their own.`;
}
