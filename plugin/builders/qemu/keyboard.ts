// The keyboard of a machine: types boot commands over QMP.

import type { BootAction } from "../../builder/mod.ts";
import { delay } from "../../common/delay.ts";
import { parseDuration } from "../../common/duration.ts";
import type { QemuConfig } from "./qemu_options.ts";
import type { Qmp } from "./qmp.ts";

/** How long a key is held unless the template or the environment gives it, in milliseconds. */
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
  const holdMs = config.boot_key_interval ||
    parseDuration(Deno.env.get("PACKER_KEY_INTERVAL")) || KEY_INTERVAL_MS;
  const qcode = (data: string) => ({ type: "qcode", data });
  for (const action of actions) {
    signal.throwIfAborted();
    if (action.kind === "wait") {
      await delay(action.milliseconds, signal);
      continue;
    }
    if (action.kind === "press") {
      await qmp.execute("send-key", {
        keys: action.keys.map(qcode),
        "hold-time": holdMs,
      });
      // QEMU releases the keys by itself after that time.
      await delay(holdMs * 2, signal);
    } else {
      await qmp.execute("input-send-event", {
        events: [{
          type: "key",
          data: { down: action.kind === "down", key: qcode(action.key) },
        }],
      });
      await delay(holdMs, signal);
    }
    if (config.boot_keygroup_interval > 0) {
      await delay(config.boot_keygroup_interval, signal);
    }
  }
}
