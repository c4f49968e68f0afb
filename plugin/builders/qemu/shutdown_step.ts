// The step that shuts the machine down once it is provisioned.

import type { Step } from "../../builder/mod.ts";
import { runRemoteCommand } from "../../bundled/shell/remote_command.ts";
import type { QemuConfig } from "./qemu_options.ts";
import type { QemuState } from "./run.ts";

/**
 * The step that runs `shutdown_command`, waits for a machine that shuts down by
 * itself, or cuts the power.
 *
 * @param config The configuration.
 */
export function shutdownStep(config: QemuConfig): Step<QemuState> {
  const { shutdown_command, shutdown_timeout, disable_shutdown } = config;
  return {
    name: "StepShutdown",
    run: async ({ qemu, communicator }, { ui, signal }) => {
      if (!qemu) throw new Error("there is no machine");
      qemu.isExpectedToEnd = true;
      if (communicator && shutdown_command) {
        await ui.say("Gracefully halting virtual machine...");
        // The machine may be gone before the command has a status.
        const ran = runRemoteCommand({
          command: shutdown_command,
          communicator,
          ui,
          signal,
        }).then(async (status) => {
          if (status !== 0 && qemu.isRunning) {
            await ui.message(`The shutdown command exited with ${status}.`);
          }
        });
        ran.catch(() => {});
        await Promise.race([ran, qemu.ended]);
      } else if (!communicator || disable_shutdown) {
        await ui.say("Waiting for shutdown...");
      } else {
        await ui.say("Halting the virtual machine...");
        await qemu.quit();
      }
      await qemu.waitForShutdown(shutdown_timeout, signal, ui);
    },
  };
}
