// boot_command and boot_steps: what is typed at the machine when it boots.

import { parseBootCommand, type Step } from "../../builder/mod.ts";
import { delay } from "../../common/delay.ts";
import { typeKeys } from "./keyboard.ts";
import { type QemuRun, type QemuState, renderText } from "./run.ts";

/** One boot command. */
export interface BootStep {
  /** What to type. */
  readonly command: string;
  /** What it is for; empty unless given. */
  readonly description: string;
}

/**
 * Reads `boot_steps`.
 *
 * @param value A list of lists: a boot command, and what it is for.
 * @throws {TypeError} When it is no such list.
 */
export function parseBootSteps(value: unknown): BootStep[] {
  if (value === undefined || value === null) return [];
  const isList = Array.isArray(value) &&
    value.every((step) =>
      Array.isArray(step) && step.length <= 2 &&
      step.every((part) => typeof part === "string")
    );
  if (!isList) {
    throw new TypeError(
      'must be a list of lists, such as [["1<enter>", "Install"]]',
    );
  }
  return (value as string[][]).map(([command = "", description = ""]) => ({
    command,
    description,
  }));
}

/**
 * The step that types the boot command.
 *
 * @param run The run.
 */
export function bootCommandStep(run: QemuRun): Step<QemuState> {
  const { config, build } = run;
  const command = (config.boot_command ?? []).join("");
  const steps = command === ""
    ? parseBootSteps(config.boot_steps)
    : [{ command, description: "" }];
  return {
    name: "StepTypeBootCommand",
    run: async (state, { ui, signal }) => {
      if (steps.length === 0) return;
      if (config.boot_wait > 0) {
        await ui.say(`Waiting ${config.boot_wait / 1000}s for boot...`);
        await delay(config.boot_wait, signal);
      }
      await ui.say("Typing the boot command...");
      for (const { command, description } of steps) {
        if (description) {
          await ui.say(`Typing boot command for: ${description}`);
        }
        const text = await renderText(run, state, command);
        await typeKeys(
          state.qemu!.qmp,
          parseBootCommand(text),
          config,
          signal,
        );
        if (build.debug && steps.length > 1) {
          await ui.ask(
            `Typed: ${description || text}. Press enter to continue.`,
          );
        }
      }
    },
  };
}
