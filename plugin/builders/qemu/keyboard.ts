// The keyboard of a machine: types boot commands over QMP.

import type { BootAction } from "../../builder/mod.ts";
import { delay } from "../../common/delay.ts";
import { parseDuration } from "../../common/duration.ts";
import type { QemuConfig } from "./qemu_options.ts";
import type { Qmp } from "./qmp.ts";

/** The pause after each press and each release unless the template or the environment gives it, in milliseconds. */
const KEY_INTERVAL_MS = 100;

/**
 * Types at a machine's keyboard.
 *
 * @param qmp The machine's QMP connection.
 * @param actions What to type.
 * @param config The intervals.
 * @param signal Stops when aborted.
 */
export async function typeKeys(
  qmp: Qmp,
  actions: readonly BootAction[],
  config: Pick<QemuConfig, "boot_key_interval" | "boot_keygroup_interval">,
  signal: AbortSignal,
): Promise<void> {
  const intervalMs = config.boot_key_interval ||
    parseDuration(Deno.env.get("PACKER_KEY_INTERVAL")) || KEY_INTERVAL_MS;
  const change = async (key: string, down: boolean) => {
    // Not send-key: its keys wait in a queue of QEMU, which overflows, and which
    // the events of keys that are held down would overtake.
    await qmp.execute("input-send-event", {
      events: [{
        type: "key",
        data: { down, key: { type: "qcode", data: key } },
      }],
    });
    await delay(intervalMs, signal);
  };
  for (const action of actions) {
    signal.throwIfAborted();
    if (action.kind === "wait") {
      await delay(action.milliseconds, signal);
      continue;
    }
    if (action.kind === "press") {
      for (const key of action.keys) await change(key, true);
      for (const key of action.keys.toReversed()) await change(key, false);
    } else await change(action.key, action.kind === "down");
    if (config.boot_keygroup_interval > 0) {
      await delay(config.boot_keygroup_interval, signal);
    }
  }
}
