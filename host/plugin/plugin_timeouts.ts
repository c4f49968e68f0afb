// The timeouts of plugins that are set in the environment.

import { durationSetting } from "../config/environment.ts";
import type { LaunchOptions } from "./launch_options.ts";

/**
 * Returns the values of BALER_PLUGIN_START_TIMEOUT (the handshake),
 * BALER_PLUGIN_ANSWER_TIMEOUT (silence while calls are in flight) and
 * BALER_PLUGIN_GRACE (exit after a shutdown).
 *
 * @throws {Error} When one of them is not a duration.
 */
export function pluginTimeouts(): Pick<
  LaunchOptions,
  "startTimeout" | "answerTimeout" | "grace"
> {
  return {
    startTimeout: durationSetting("PLUGIN_START_TIMEOUT"),
    answerTimeout: durationSetting("PLUGIN_ANSWER_TIMEOUT"),
    grace: durationSetting("PLUGIN_GRACE"),
  };
}
