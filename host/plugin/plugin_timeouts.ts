// How long plugins may take, as the environment says.

import { durationSetting } from "../config/environment.ts";
import type { LaunchOptions } from "./launch_options.ts";

/**
 * The times of BALER_PLUGIN_START_TIMEOUT (to say hello),
 * BALER_PLUGIN_ANSWER_TIMEOUT (to respond while it owes an answer) and
 * BALER_PLUGIN_GRACE (to end by itself).
 *
 * @throws {Error} When one of them is no length of time.
 */
export function pluginTimes(): Pick<
  LaunchOptions,
  "startTimeout" | "answerTimeout" | "grace"
> {
  return {
    startTimeout: durationSetting("PLUGIN_START_TIMEOUT"),
    answerTimeout: durationSetting("PLUGIN_ANSWER_TIMEOUT"),
    grace: durationSetting("PLUGIN_GRACE"),
  };
}
