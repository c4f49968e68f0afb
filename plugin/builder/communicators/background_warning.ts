// The warning about processes that a command leaves running: they end with the
// build, which in Packer they do not.

import type { Ui } from "../../contract/ui.ts";
import type { GroupMember } from "../../process/process_group.ts";

const MAX_COMMAND_CHARACTERS = 100;

/**
 * Warns that a command left processes running in the background.
 *
 * @param ui Where the warning is shown.
 * @param members The processes.
 */
export async function warnOfBackground(
  ui: Pick<Ui, "error">,
  members: readonly GroupMember[],
): Promise<void> {
  const names = members.map(({ pid, command }) => {
    const short = command.length > MAX_COMMAND_CHARACTERS
      ? `${command.slice(0, MAX_COMMAND_CHARACTERS)}...`
      : command;
    return `${short || "(unnamed)"} (pid ${pid})`;
  });
  await ui.error(
    `Warning: the command left processes running in the background: ${
      names.join(", ")
    }. They are ended with the build; start them as a service if they are to stay.`,
  );
}
